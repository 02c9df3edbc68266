import { setTimeout as sleep } from 'node:timers/promises'

/** How long a caller waits for its answer. */
export const PATIENCE_MILLIS = 1_000

/** How one arrival ended. */
export interface Arrival {
  /** When it arrived, by the performance clock. */
  readonly since: number
  readonly tookMillis: number
  readonly answered: boolean
}

/** Callers that each send their next query after the last one has been answered: the most that the server can do. Per second. */
export async function closedLoop(query: () => Promise<unknown>, callers: number, millis: number): Promise<number> {
  const until = performance.now() + millis
  let answers = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) {
        await query()
        answers++
      }
    }),
  )
  return (answers * 1_000) / (performance.now() - began)
}

/** Callers that arrive at random times at a rate of their own, however many of them wait. */
export async function openLoop(query: () => Promise<unknown>, perSecond: number, millis: number): Promise<Arrival[]> {
  const arrivals: Promise<Arrival>[] = []
  const arrive = async (): Promise<Arrival> => {
    const since = performance.now()
    const answered = await query().then(
      () => true,
      () => false,
    )
    return { since, tookMillis: performance.now() - since, answered }
  }
  const until = performance.now() + millis
  let last = performance.now()
  let owed = 0
  while (last < until) {
    await sleep(2)
    const now = performance.now()
    owed += ((now - last) * perSecond) / 1_000
    last = now
    while (owed > 0) {
      arrivals.push(arrive())
      // The times between arrivals are exponential.
      owed += Math.log(1 - Math.random())
    }
  }
  return Promise.all(arrivals)
}

export function isInTime({ answered, tookMillis }: Arrival): boolean {
  return answered && tookMillis <= PATIENCE_MILLIS
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
