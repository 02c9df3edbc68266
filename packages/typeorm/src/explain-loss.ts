import type { DataSource, QueryRunner } from 'typeorm'

/** What is used of the client that a query runner is connected to. */
interface ConnectedClient {
  once(event: 'error', listener: (error: unknown) => void): unknown
  off(event: 'error', listener: (error: unknown) => void): unknown
}

type Method = (...args: unknown[]) => Promise<unknown>

/** Why query runners have lost their connections: what the server said when it ended the session, or the socket's error. */
const reasons = new WeakMap<object, unknown>()

/**
 * TypeORM says of a query runner whose connection was lost only that it was released. From then on its errors have the reason as
 * their `cause`.
 *
 * @returns what ends the watching, when the client goes back to its pool.
 */
export function explainLoss(runner: QueryRunner, client: ConnectedClient): () => void {
  const lost = (reason: unknown) => {
    reasons.set(runner, reason)
    const methods = runner as unknown as Record<'query' | 'stream', Method>
    for (const name of ['query', 'stream'] as const) methods[name] = explaining(methods[name].bind(runner), reason)
  }
  client.once('error', lost)
  return () => client.off('error', lost)
}

/** A query of a transaction's manager goes through its DataSource, which refuses a runner that was released. */
export function explainLossOfRunners(dataSource: DataSource): void {
  const query = dataSource.query.bind(dataSource) as Method
  dataSource.query = ((...args: unknown[]) => {
    const runner = args[2] as QueryRunner | undefined
    return runner && reasons.has(runner) ? explaining(query, reasons.get(runner))(...args) : query(...args)
  }) as typeof dataSource.query
}

function explaining(method: Method, reason: unknown): Method {
  return async (...args) => {
    try {
      return await method(...args)
    } catch (error) {
      const bare = error instanceof Error && error.cause === undefined
      throw bare ? Object.assign(error, { cause: reason }) : error
    }
  }
}
