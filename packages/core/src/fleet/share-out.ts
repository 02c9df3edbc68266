/** What one of several would like to have. */
export interface Wish {
  /** What it gets before anybody gets more, 1 at least. */
  readonly floor: number
  /** What it could use; below its floor that holds. */
  readonly demand: number
}

/**
 * Shares a budget out by max-min fairness: nobody gets more than it could use, and whoever gets less than that gets no less
 * than anybody else; what some leave is had by the others. Whole numbers, and the first ones get what does not divide.
 *
 * Each gets 1 at least, which it has already as a member; where there are more members than the budget has connections, the
 * sum is over the budget by so many.
 *
 * @see https://en.wikipedia.org/wiki/Max-min_fairness
 * @example
 * shareOut(10, [{ floor: 1, demand: 2 }, { floor: 1, demand: 20 }, { floor: 1, demand: 20 }]) // [2, 4, 4]
 */
export function shareOut(budget: number, wishes: readonly Wish[]): number[] {
  const wanted = wishes.map(({ floor, demand }) => ({ floor, demand: Math.max(floor, demand) }))
  if (sum(wanted.map(({ floor }) => floor)) <= budget) return fill(budget, wanted)
  // The floors do not fit, so they are what is shared.
  return fill(
    budget,
    wanted.map(({ floor }) => ({ floor: Math.min(1, floor), demand: floor })),
  )
}

/** Raises the level up to which all are served as far as the budget goes. */
function fill(budget: number, wishes: readonly Wish[]): number[] {
  let level = 0
  let tooHigh = wishes.reduce((most, { demand }) => Math.max(most, demand), 0) + 1
  while (tooHigh - level > 1) {
    const middle = Math.floor((level + tooHigh) / 2)
    if (wishes.reduce((total, wish) => total + shareAt(middle, wish), 0) <= budget) level = middle
    else tooHigh = middle
  }
  const shares = wishes.map((wish) => shareAt(level, wish))
  let left = budget - sum(shares)
  return shares.map((share, i) => {
    const { floor, demand } = wishes[i] as Wish
    if (left <= 0 || share >= demand || floor > level) return share
    left--
    return share + 1
  })
}

function shareAt(level: number, { floor, demand }: Wish): number {
  return Math.min(demand, Math.max(floor, level))
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
