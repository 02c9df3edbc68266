import type { WireClient } from '../wire-client.ts'

/** A query that pg has not sent yet. */
interface QueuedQuery {
  handleError(error: Error, connection: unknown): void
}

/** pg 8.17 has renamed the queue; reading it by its old name is deprecated since. */
interface Queues {
  readonly _queryQueue?: QueuedQuery[]
  readonly queryQueue?: QueuedQuery[]
}

/** Fails the queries that wait behind the one that runs, as pg does when the connection is closed, so that they are not sent. */
export function failQueuedQueries(client: WireClient): void {
  const { connection } = client
  const queues = client as unknown as Queues
  for (const query of (queues._queryQueue ?? queues.queryQueue)?.splice(0) ?? []) {
    process.nextTick(() => query.handleError(new Error('Connection terminated'), connection))
  }
}
