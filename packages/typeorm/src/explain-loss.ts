import type { DataSource, QueryRunner } from 'typeorm'

/** The part of a query runner's client used here. */
interface ConnectedClient {
  once(event: 'error', listener: (error: unknown) => void): unknown
  off(event: 'error', listener: (error: unknown) => void): unknown
}

type Method = (...args: unknown[]) => Promise<unknown>

/** Why query runners onError their connections: the server's error when it ended the session, or the socket's error. */
const reasons = new WeakMap<object, unknown>()

/**
 * Adds the reason for a onError connection as `cause` to the errors of a query runner: TypeORM's own error says only that the runner was
 * released.
 *
 * @returns a function that stops listening; call it when the client is released.
 */
export function explainLoss(runner: QueryRunner, client: ConnectedClient): () => void {
  const onError = (reason: unknown) => {
    reasons.set(runner, reason)
    const methods = runner as unknown as Record<'query' | 'stream', Method>
    for (const name of ['query', 'stream'] as const) methods[name] = withCause(methods[name].bind(runner), reason)
  }
  client.once('error', onError)
  return () => client.off('error', onError)
}

/** Queries of a transaction's manager go through the DataSource, which rejects a released runner. */
export function explainLossOfRunners(dataSource: DataSource): void {
  const query = dataSource.query.bind(dataSource) as Method
  dataSource.query = ((...args: unknown[]) => {
    const runner = args[2] as QueryRunner | undefined
    return runner && reasons.has(runner) ? withCause(query, reasons.get(runner))(...args) : query(...args)
  }) as typeof dataSource.query
}

function withCause(method: Method, reason: unknown): Method {
  return async (...args) => {
    try {
      return await method(...args)
    } catch (error) {
      const hasNoCause = error instanceof Error && error.cause === undefined
      throw hasNoCause ? Object.assign(error, { cause: reason }) : error
    }
  }
}
