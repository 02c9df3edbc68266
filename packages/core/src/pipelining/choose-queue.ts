import type { QueuedStatement, StatementQueue } from './statement-queue.ts'

/** A connection that statements may share. */
export interface SharedConnection<S extends QueuedStatement> {
  readonly queue: StatementQueue<S>
  /** True while it finishes its statements for a caller that waits for a connection of its own. */
  isDraining: boolean
}

/** Marks as many connections as callers wait for one of their own; those with the least work ahead become free first. */
export function markDraining<S extends QueuedStatement>(
  connections: Iterable<SharedConnection<S>>,
  exclusiveWaiters: number,
  now: number,
): void {
  let draining = 0
  let all = 0
  for (const { isDraining } of connections) {
    all++
    if (isDraining) draining++
  }
  const wanted = Math.min(exclusiveWaiters, all)
  if (draining === wanted) return
  for (const each of connections) {
    if (!each.isDraining || draining <= wanted) continue
    each.isDraining = false
    draining--
  }
  if (draining === wanted) return
  const accepting = [...connections].filter(({ isDraining }) => !isDraining)
  accepting.sort((a, b) => a.queue.expectedMillis(now) - b.queue.expectedMillis(now))
  for (const each of accepting.slice(0, wanted - draining)) each.isDraining = true
}

/**
 * The connection with the least expected work ahead of a statement; undefined if the statement may be sent on none.
 *
 * @param mayPassWaiters true if no caller that waits for a connection of its own has waited longer than this statement: it may then
 * also use a connection that drains for one.
 * @param suits whether the driver can send the statement on that connection.
 */
export function chooseConnection<S extends QueuedStatement, C extends SharedConnection<S>>(
  connections: Iterable<C>,
  statement: S,
  { now, mayPassWaiters, suits }: ChoiceOptions<C>,
): C | undefined {
  let best: C | undefined
  let least = Infinity
  for (const each of connections) {
    if (each.isDraining && !mayPassWaiters) continue
    if (each.queue.reasonAgainst(statement, now) !== undefined || !suits(each)) continue
    // Depth decides between connections whose statements are too fast to measure.
    const ahead = each.queue.expectedMillis(now) + each.queue.depth / 1_000
    if (ahead >= least) continue
    least = ahead
    best = each
  }
  return best
}

export interface ChoiceOptions<C> {
  readonly now: number
  readonly mayPassWaiters: boolean
  readonly suits: (connection: C) => boolean
}
