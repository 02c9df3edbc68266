/** One measured value, or the middle and the extremes of several. */
export type Figure = number | Summary

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  /** Half of all values are between the two; only in figures with many values. */
  readonly lowerQuartile?: number
  readonly upperQuartile?: number
}

/** Figures by name; one may stand for several of a kind. */
export interface Figures {
  readonly [key: string]: Figure | Figures
}

/** What `pnpm bench NAME` runs. */
export interface Benchmark {
  /** What each figure means, its unit, and which way is better. */
  readonly keys: Readonly<Record<string, string>>
  /** Benchmarks of which it consists; `--part` chooses some of them. */
  readonly parts?: Readonly<Record<string, Benchmark>>
  run(tell: (text: string) => void): Promise<Figures>
}

/** Runs its parts one after the other. */
export function inParts(parts: Readonly<Record<string, Benchmark>>): Benchmark {
  const benchmarks = Object.values(parts)
  return {
    keys: Object.assign({}, ...benchmarks.map(({ keys }) => keys)),
    parts,
    async run(tell) {
      const figures: Figures[] = []
      for (const part of benchmarks) figures.push(await part.run(tell))
      return Object.assign({}, ...figures)
    },
  }
}

/** Only some parts of a benchmark; undefined if it does not have them all. */
export function partsOf({ parts = {} }: Benchmark, names: readonly string[]): Benchmark | undefined {
  if (!names.every((name) => parts[name])) return undefined
  return inParts(Object.fromEntries(Object.entries(parts).filter(([name]) => names.includes(name))))
}

export function summarise(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) }
}

/** The same of many values, a few of which are far off. */
export function spread(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN
  return { ...summarise(values), lowerQuartile: at(0.25), upperQuartile: at(0.75) }
}

/** Enough for a median to mean something, and for the extremes to show how steady the machine is. */
const PAIRS = 15
/** Pairs before that, not counted: until the compiler has seen the code, the one with less of it wins. */
const WARM_UP_PAIRS = 4

export interface Pair {
  /** Each takes one measurement: a time, a rate, whatever is compared. */
  readonly ours: () => Promise<number>
  readonly theirs: () => Promise<number>
}

export interface PairFigures {
  readonly ratio: { median: number; min: number; max: number }
  readonly ours: { median: number; min: number; max: number }
  readonly theirs: { median: number; min: number; max: number }
}

/**
 * Measures the two in turns, so that what disturbs the machine disturbs both, and swaps who begins. Each pair gives one
 * ratio ours / theirs.
 */
export async function compare({ ours, theirs }: Pair): Promise<PairFigures> {
  const measured: { ours: number; theirs: number }[] = []
  for (let i = 0; i < WARM_UP_PAIRS + PAIRS; i++) {
    const pair =
      i % 2 === 0
        ? { ours: await ours(), theirs: await theirs() }
        : await theirs().then(async (value) => ({ theirs: value, ours: await ours() }))
    if (i >= WARM_UP_PAIRS) measured.push(pair)
  }
  return {
    ratio: summarise(measured.map((pair) => pair.ours / pair.theirs)),
    ours: summarise(measured.map((pair) => pair.ours)),
    theirs: summarise(measured.map((pair) => pair.theirs)),
  }
}
