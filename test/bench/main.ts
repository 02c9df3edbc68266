import { cpus } from 'node:os'
import { readArguments, reject } from '../command-line.ts'
import { setup as generatePrismaClient } from '../prisma/global-setup.ts'
import { type Benchmark, type Figure, type Figures, partsOf } from './benchmark.ts'

/** By the name that `pnpm bench` takes. */
const BENCHMARKS: Record<string, () => Promise<{ benchmark: Benchmark }>> = {
  adapters: () => import('./adapters.ts'),
  doctor: () => import('./doctor.ts'),
  failover: () => import('./failover.ts'),
  fleet: () => import('./fleet.ts'),
  'fleet-size': () => import('./fleet-size.ts'),
  insight: () => import('./insight.ts'),
  import: () => import('./import.ts'),
  observe: () => import('./observe.ts'),
  overload: () => import('./overload.ts'),
  pipeline: () => import('./pipeline.ts'),
  pool: () => import('./pool.ts'),
  prepared: () => import('./prepared.ts'),
  replicas: () => import('./replicas.ts'),
  sqlite: () => import('./sqlite.ts'),
  topology: () => import('./topology.ts'),
}

const { values, positionals } = readArguments({
  options: { json: { type: 'boolean' }, part: { type: 'string', multiple: true, default: [] } },
  allowPositionals: true,
})
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS)
const unknown = names.find((name) => !BENCHMARKS[name])
if (unknown !== undefined) reject(`There is no benchmark "${unknown}", only: ${Object.keys(BENCHMARKS).join(', ')}`)
// Some benchmarks import the tests' Prisma client.
await generatePrismaClient()
for (const [name, load] of Object.entries(BENCHMARKS)) {
  if (!names.includes(name)) continue
  const { benchmark: whole } = await load()
  const benchmark = values.part.length === 0 ? whole : partsOf(whole, values.part)
  if (!benchmark) {
    const parts = Object.keys(whole.parts ?? {}).join(', ') || 'none'
    reject(`--part ${values.part.join(', ')}: the benchmark "${name}" has other parts: ${parts}`)
  }
  const figures = await benchmark.run((text) => process.stderr.write(`${text}\n`))
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : render(name, benchmark, figures))
}

function render(name: string, benchmark: Benchmark, figures: Figures): string {
  const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? process.arch}`
  return `${name} (${machine})\n${renderFigures(figures, benchmark.keys, '  ')}`
}

function renderFigures(figures: Figures, keys: Benchmark['keys'], indent: string): string {
  const lines = Object.entries(figures).map(([key, figure]) => {
    const title = `${indent}${key}`.padEnd(34)
    return isFigure(figure)
      ? `${title} ${show(figure).padEnd(32)} ${keys[key] ?? ''}\n`
      : `${title} ${''.padEnd(32)} ${keys[key] ?? ''}\n${renderFigures(figure, {}, `${indent}  `)}`
  })
  return lines.join('')
}

function isFigure(figure: Figure | Figures): figure is Figure {
  return typeof figure === 'number' || 'median' in figure
}

function show(figure: Figure): string {
  if (typeof figure === 'number') return round(figure)
  const { median, min, max, lowerQuartile, upperQuartile } = figure
  const half =
    lowerQuartile === undefined || upperQuartile === undefined
      ? ''
      : `, half ${round(lowerQuartile)} to ${round(upperQuartile)}`
  return `${round(median)} (${round(min)} to ${round(max)}${half})`
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)))
}
