import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Benchmark, Figure } from './benchmark.ts'

/** By the name that `pnpm bench` takes. */
const BENCHMARKS: Record<string, () => Promise<{ benchmark: Benchmark }>> = {
  pool: () => import('./pool.ts'),
}

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS)
for (const name of names) {
  const load = BENCHMARKS[name]
  if (!load) {
    process.stderr.write(`There is no benchmark "${name}", only: ${Object.keys(BENCHMARKS).join(', ')}\n`)
    process.exit(2)
  }
  const { benchmark } = await load()
  const figures = await benchmark.run((text) => process.stderr.write(`${text}\n`))
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : render(name, benchmark, figures))
}

function render(name: string, benchmark: Benchmark, figures: Record<string, Figure>): string {
  const lines = Object.entries(figures).map(
    ([key, figure]) => `  ${key.padEnd(32)} ${show(figure).padEnd(32)} ${benchmark.keys[key] ?? ''}`,
  )
  const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? process.arch}`
  return `${name} (${machine})\n${lines.join('\n')}\n`
}

function show(figure: Figure): string {
  if (typeof figure === 'number') return round(figure)
  return `${round(figure.median)} (${round(figure.min)} to ${round(figure.max)})`
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)))
}
