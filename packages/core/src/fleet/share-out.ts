/** The connections that one of several instances requests. */
export interface ShareRequest {
  /** Granted before any demand, at least 1. */
  readonly floor: number
  /** The connections that it could use; the floor if that is more. */
  readonly demand: number
}

/**
 * Divides a budget by max-min fairness: no instance gets more than its demand, and one that gets less than its demand gets at
 * least as much as every other. Unused parts go to instances with more demand. Shares are whole; the remainder goes to the first ones.
 *
 * Each instance gets at least 1, the connection that it already has. If there are more instances than connections, the sum
 * exceeds the budget by the difference.
 *
 * @see https://en.wikipedia.org/wiki/Max-min_fairness
 * @example
 * shareOut(10, [{ floor: 1, demand: 2 }, { floor: 1, demand: 20 }, { floor: 1, demand: 20 }]) // [2, 4, 4]
 */
export function shareOut(budget: number, requests: readonly ShareRequest[]): number[] {
  const wanted = requests.map(({ floor, demand }) => ({ floor, demand: Math.max(floor, demand) }))
  if (sum(wanted.map(({ floor }) => floor)) <= budget) return fill(budget, wanted)
  // The floors exceed the budget, so divide it among the floors.
  return fill(
    budget,
    wanted.map(({ floor }) => ({ floor: Math.min(1, floor), demand: floor })),
  )
}

/** Finds the highest level up to which the budget serves every request. */
function fill(budget: number, requests: readonly ShareRequest[]): number[] {
  let level = 0
  let tooHigh = requests.reduce((most, { demand }) => Math.max(most, demand), 0) + 1
  while (tooHigh - level > 1) {
    const middle = Math.floor((level + tooHigh) / 2)
    if (requests.reduce((total, request) => total + shareAt(middle, request), 0) <= budget) level = middle
    else tooHigh = middle
  }
  const shares = requests.map((request) => shareAt(level, request))
  let left = budget - sum(shares)
  return shares.map((share, i) => {
    const { floor, demand } = requests[i] as ShareRequest
    if (left <= 0 || share >= demand || floor > level) return share
    left--
    return share + 1
  })
}

function shareAt(level: number, { floor, demand }: ShareRequest): number {
  return Math.min(demand, Math.max(floor, level))
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
