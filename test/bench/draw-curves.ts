/**
 * Draws docs/pictures/overload-curves.svg from the output of `pnpm bench overload --part adaptive --json`:
 *
 *   node test/bench/draw-curves.ts figures.json
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Curve, plotCurves } from './adaptive/plot-curves.ts'
import type { Summary } from './benchmark.ts'

interface AdaptiveFigures {
  readonly adaptive_limit: Readonly<Record<string, Summary>>
  readonly throughput: Readonly<Record<string, Readonly<Record<string, Summary>>>>
  readonly held_p99_millis: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('Pass the file with the output of `pnpm bench overload --part adaptive --json`.\n')
  process.exit(2)
}
const figures = JSON.parse(readFileSync(file, 'utf8')) as AdaptiveFigures
writeFileSync(new URL('../../docs/pictures/overload-curves.svg', import.meta.url), plotCurves(curvesOf(figures)))

function curvesOf({ adaptive_limit, throughput, held_p99_millis }: AdaptiveFigures): readonly Curve[] {
  return Object.entries(throughput).map(([name, rates]) => ({
    title: titleOf(name),
    found: adaptive_limit[name]?.median ?? Number.NaN,
    throughput: byLimit(rates, ({ median }) => median),
    heldP99Millis: byLimit(held_p99_millis[name] ?? {}, (millis) => millis),
  }))
}

function byLimit<T>(
  values: Readonly<Record<string, T>>,
  read: (value: T) => number,
): ReadonlyMap<number | 'adaptive', number> {
  return new Map(
    Object.entries(values).map(
      ([limit, value]) => [limit === 'adaptive' ? limit : Number(limit), read(value)] as const,
    ),
  )
}

/** `I/O bound` for `io_bound`. */
function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ').replace(/^io\b/, 'I/O')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}
