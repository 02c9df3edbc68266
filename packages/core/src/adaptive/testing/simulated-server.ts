import type { LimitController } from '../limit-controller.ts'

/** The throughput of a server, in statements per millisecond, with n statements in progress. */
export type Curve = (n: number) => number

/** The Universal Scalability Law. @see https://www.perfdynamics.com/Manifesto/USLscalability.html */
function scalability(rate: number, contention: number, coherence: number): Curve {
  return (n) => (rate * n) / (1 + contention * (n - 1) + coherence * n * (n - 1))
}

/** A curve through measured points, linear over log2(n). */
function measured(rate: number, points: Readonly<Record<number, number>>): Curve {
  const known = Object.entries(points).map(([n, share]) => [Math.log2(Number(n)), share] as const)
  return (n) => {
    const x = Math.log2(n)
    const above = Math.max(
      1,
      known.findIndex(([at]) => at >= x),
    )
    const [[x0, y0], [x1, y1]] = [known[above - 1], known[above]] as [
      readonly [number, number],
      readonly [number, number],
    ]
    return rate * (y0 + ((y1 - y0) * (x - x0)) / (x1 - x0))
  }
}

/** A phase of a simulation. */
export interface Phase {
  readonly curve: Curve
  readonly seconds: number
}

export const TICK_MILLIS = 25
const TICKS_PER_SECOND = 1_000 / TICK_MILLIS

/**
 * The noise of a real server on a shared machine: a standard deviation of 15 to 18 % in slots of 0.2 s, and of 10 % in slots of 2 s.
 * The slow part of 9 % lasts for seconds; the fast part is 14 % in slots of 0.2 s.
 */
export const MEASURED_NOISE: { readonly fast: number; readonly slow: number } = {
  fast: 0.138 * Math.sqrt(200 / TICK_MILLIS),
  slow: 0.09,
}
const SLOW_SECONDS = 5

/** Numbers between 0 and 1, the same ones for the same seed. */
export type Generator = (seed: number) => () => number

/** The generators differ in quality and period: a result must not depend on which of them made the noise. */
export const GENERATORS: Readonly<Record<'congruential' | 'mulberry32', Generator>> = {
  /** Numerical Recipes' linear congruential generator. */
  congruential(seed) {
    let state = seed
    return () => {
      state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
      return state / 4_294_967_296
    }
  },
  /** @see https://github.com/cprosche/mulberry32 */
  mulberry32(seed) {
    let state = seed >>> 0
    return () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    }
  },
}

/** The noise of a server, as a factor, one for each tick. */
export function seededNoise(
  uniform: () => number,
  { fast, slow }: { readonly fast: number; readonly slow: number },
): {
  factor(): number
  gauss(): number
} {
  const gauss = () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform())
  const keep = Math.exp(-1 / (SLOW_SECONDS * TICKS_PER_SECOND))
  let drift = gauss() * slow
  return {
    gauss,
    factor() {
      drift = drift * keep + gauss() * slow * Math.sqrt(1 - keep ** 2)
      return Math.exp(drift + gauss() * fast - fast ** 2 / 2)
    },
  }
}

/** What a phase has completed, in statements per millisecond without the noise, which is the same for every limit. */
export interface Outcome {
  /** The throughput of the last two thirds over that of the best fixed limit. */
  readonly settled: number
  /** The throughput of the whole phase. */
  readonly rate: number
}

export function bestRate(curve: Curve, max: number): number {
  return Math.max(...Array.from({ length: max }, (_, index) => curve(index + 1)))
}

/** Runs a controller in one phase after another, with callers that always wait. */
export function simulate(
  controller: LimitController,
  phases: readonly Phase[],
  {
    seed,
    generator = GENERATORS.mulberry32,
    max = 64,
  }: { readonly seed: number; readonly generator?: Generator; readonly max?: number },
): readonly Outcome[] {
  const { factor, gauss } = seededNoise(generator(seed), MEASURED_NOISE)
  return phases.map(({ curve, seconds }) => {
    const ticks = seconds * TICKS_PER_SECOND
    let whole = 0
    let settled = 0
    let settledTicks = 0
    for (let tick = 0; tick < ticks; tick++) {
      const rate = curve(controller.limit)
      whole += rate
      if (tick >= ticks / 3) {
        settled += rate
        settledTicks++
      }
      const mean = rate * TICK_MILLIS * factor()
      const completions = Math.max(0, Math.round(mean + gauss() * Math.sqrt(mean) * 0.7))
      controller.update({
        ...{ millis: TICK_MILLIS, saturatedMillis: TICK_MILLIS, completions, work: completions },
        demand: Infinity,
      })
    }
    return { settled: settled / settledTicks / bestRate(curve, max), rate: whole / ticks }
  })
}

type CurveName =
  | 'scalability'
  | 'groupCommit'
  | 'lockCollapse'
  | 'slowStatements'
  | 'readsByKey'
  | 'rangeReads'
  | 'writes'
  | 'contendedWrites'
  | 'hotRows'
  | 'mixWithReports'

/** The known shapes, and the workloads of a prototype: shares of the best throughput of a PostgreSQL 18 on two cores. */
export const CURVES: Readonly<Record<CurveName, Curve>> = {
  scalability: scalability(4, 0.25, 0.02),
  groupCommit: scalability(0.5, 0.02, 0.00027),
  lockCollapse: scalability(2, 0.3, 0.15),
  slowStatements: scalability(0.03, 0.3, 0.002),
  readsByKey: measured(8, { 1: 0.55, 2: 0.93, 4: 1, 8: 0.93, 16: 0.87, 32: 0.82, 64: 0.82 }),
  rangeReads: measured(3, { 1: 0.45, 2: 0.94, 4: 1, 8: 0.98, 16: 0.98, 32: 0.89, 64: 0.85 }),
  writes: measured(4, { 1: 0.53, 2: 0.74, 4: 0.88, 8: 0.94, 16: 1, 32: 0.99, 64: 0.88 }),
  contendedWrites: measured(1.5, { 1: 0.98, 2: 1, 4: 0.89, 8: 0.62, 16: 0.53, 32: 0.37, 64: 0.31 }),
  hotRows: measured(1, { 1: 0.7, 2: 0.97, 4: 1, 8: 0.84, 16: 0.71, 32: 0.64, 64: 0.52 }),
  mixWithReports: measured(3, { 1: 0.4, 2: 0.87, 4: 0.85, 8: 0.89, 16: 1, 32: 0.93, 64: 0.88 }),
}
