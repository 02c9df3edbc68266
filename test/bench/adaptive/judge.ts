import type { TracePoint } from './limit-arena.ts'

/** Throughput within some seconds, so that the machine was the same for all of it. */
export interface Round {
  /** With the adaptive limit. */
  readonly adaptive: number
  /** With the limit that was found, but without comparing it with others. */
  readonly found: number
  readonly fixed: ReadonlyMap<number, number>
}

/** For each round: throughput with the adaptive limit over that of the best fixed limit, which the other rounds chose: the best of several noisy rates is too high. */
export function overBestFixed(rounds: readonly Round[], limits: readonly number[]): readonly number[] {
  return rounds.map((round) => {
    const others = rounds.filter((each) => each !== round)
    return round.adaptive / rateAt(round, bestFixed(others, limits))
  })
}

export function overFixed(rounds: readonly Round[], limit: number): readonly number[] {
  return rounds.map((round) => round.adaptive / rateAt(round, limit))
}

/** The part of the throughput that is lost to limits that turn out to be worse. */
export function probingCost(rounds: readonly Round[]): readonly number[] {
  return rounds.map(({ adaptive, found }) => 1 - adaptive / found)
}

/** Each round counts the same, however fast the machine was in it. */
export function bestFixed(rounds: readonly Round[], limits: readonly number[]): number {
  const scores = limits.map((limit) => ({
    limit,
    score: sum(rounds.map((round) => rateAt(round, limit) / mean(round))),
  }))
  return scores.reduce((best, each) => (each.score > best.score ? each : best)).limit
}

/** How good a settled limit must be, as a share of the best fixed throughput, and for how long. */
const SETTLED_SHARE = 0.9
const SETTLED_MILLIS = 5_000

/**
 * Seconds from a change until the limit has been a good one for five seconds, by the rates of the fixed limits. The whole time if that
 * never happened.
 */
export function settledAfterSeconds(
  trace: readonly TracePoint[],
  since: number,
  rates: ReadonlyMap<number, number>,
): number {
  const enough = SETTLED_SHARE * Math.max(...rates.values())
  const points = trace.filter(({ atMillis }) => atMillis >= since)
  const end = points.at(-1)?.atMillis ?? since
  let goodSince: number | undefined = since
  for (const { atMillis, limit } of points) {
    const isGood = rateBetween(rates, limit) >= enough
    if (!isGood) goodSince = undefined
    else goodSince ??= atMillis
    if (goodSince !== undefined && atMillis - goodSince >= SETTLED_MILLIS) return (goodSince - since) / 1_000
  }
  return (end - since) / 1_000
}

/** Between two measured limits, linear over the logarithm of the limit. */
export function rateBetween(rates: ReadonlyMap<number, number>, limit: number): number {
  const known = [...rates].toSorted(([a], [b]) => a - b)
  const above = known.findIndex(([at]) => at >= limit)
  const [upper, lower] = [known.at(above), known[above - 1]]
  if (!upper) return Number.NaN
  if (!lower || above < 0) return upper[1]
  const share = Math.log(limit / lower[0]) / Math.log(upper[0] / lower[0])
  return lower[1] + (upper[1] - lower[1]) * share
}

function rateAt({ fixed }: Round, limit: number): number {
  return fixed.get(limit) ?? Number.NaN
}

function mean({ fixed }: Round): number {
  return sum([...fixed.values()]) / fixed.size
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
