import type { Pipelining } from '@poolguard/core/adapter'
import type { QueryResult } from 'pg'
import type { PgConnection } from '../connection/pg-connection.ts'
import { PipelinedQuery, readPoolQuery, sizeOf } from './pipelined-query.ts'

export interface SharedQueriesOptions {
  readonly pipelining: Pipelining<PgConnection>
  /** Called when a connection is lent to the first of the queries that share it. */
  readonly onOpen: (connection: PgConnection) => void
  /** True if each query needs a connection of its own. */
  readonly isOff: () => boolean
}

/** The queries of `pool.query` that share their connection with others. */
export class SharedQueries {
  readonly #options: SharedQueriesOptions

  constructor(options: SharedQueriesOptions) {
    this.#options = options
    options.pipelining.attach({
      onOpen: options.onOpen,
      onClose: (lease, broken) => {
        lease.resource.leased = false
        if (broken) return lease.destroy()
        lease.resource.endShared()
        lease.release()
      },
    })
  }

  /** Call it once for each query, before {@link run}. */
  mayShare(lane: string | undefined): boolean {
    return this.#options.pipelining.mayShare(lane)
  }

  /**
   * Runs a query. Call it in the caller's own stack.
   *
   * @param below the frames above this function are the caller's.
   * @returns undefined if the query needs a connection of its own.
   */
  run(
    text: unknown,
    values: unknown,
    { signal, lane }: { readonly signal: AbortSignal | undefined; readonly lane: string | undefined },
    below: (...args: never[]) => unknown,
  ): Promise<QueryResult> | undefined {
    const { pipelining, isOff } = this.#options
    const query = isOff() ? undefined : readPoolQuery(text, values)
    const request = query && pipelining.request(query.text, sizeOf(query), below, { lane })
    if (!query || !request) return undefined
    const outcome = Promise.withResolvers<QueryResult>()
    pipelining.run(new PipelinedQuery({ pipelining, request, query, outcome, signal }))
    return outcome.promise
  }
}
