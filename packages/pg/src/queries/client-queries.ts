import { type RunningQuery, showStatement } from '@poolguard/core/adapter'
import type { WireClient } from '../wire-client.ts'

/** The query object that pg is running: pg's own, or that of a package such as pg-cursor. pg 8.17 renamed the field. */
export function activeQueryOf(client: WireClient): object | undefined {
  return ('_activeQuery' in client ? client._activeQuery : client.activeQuery) ?? undefined
}

/** The text of a query object; null if it has none. */
export function textOfQuery(query: object | undefined): string | null {
  const { text, cursor } = (query ?? {}) as { text?: unknown; cursor?: { text?: unknown } }
  const found = text ?? cursor?.text
  return typeof found === 'string' ? found : null
}

export function describeActiveQuery(client: WireClient): RunningQuery | undefined {
  const query = activeQueryOf(client)
  if (!query) return undefined
  return {
    key: query,
    describe: () => {
      const text = textOfQuery(query)
      return text === null ? null : showStatement(text)
    },
  }
}

/** A query that pg has not sent yet. */
interface QueuedQuery {
  handleError(error: Error, connection: unknown): void
}

/** pg 8.17 renamed the queue and deprecated the old name. */
interface Queues {
  readonly _queryQueue?: QueuedQuery[]
  readonly queryQueue?: QueuedQuery[]
}

/** Rejects the queued queries, so that they are not sent; by default with pg's error for a connection that closes. */
export function failQueuedQueries(client: WireClient, reason: unknown = new Error('Connection terminated')): void {
  const { connection } = client
  const queues = client as unknown as Queues
  for (const query of (queues._queryQueue ?? queues.queryQueue)?.splice(0) ?? []) {
    process.nextTick(() => query.handleError(reason as Error, connection))
  }
}
