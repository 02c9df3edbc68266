import type { Query } from '../internals.ts'
import { pipelinedTextOf, sizeOf } from '../queries/pipelined-text.ts'
import { PipelinedQuery, type PipelinedSql } from './pipelined-query.ts'

/** The queries outside of transactions that share their connection with others. */
export class SharedQueries {
  readonly #sql: PipelinedSql

  constructor(sql: PipelinedSql) {
    this.#sql = sql
    sql.pipelining.attach({
      onOpen: () => {},
      onClose: (lease, broken) => (broken ? lease.destroy() : lease.release()),
    })
  }

  /**
   * Runs a query. Call it in the caller's own stack.
   *
   * @param below the frames above this function are the caller's.
   * @returns false if the query needs a connection of its own.
   */
  run(query: Query, signal: AbortSignal | undefined, below: (...args: never[]) => unknown): boolean {
    const { pipelining } = this.#sql
    const text = pipelining.mayShare() && !query.cancelled ? pipelinedTextOf(query) : undefined
    if (text === undefined) return false
    const request = pipelining.request(text, sizeOf(query, text), below, { traces: query.traces })
    if (request) pipelining.run(new PipelinedQuery(this.#sql, request, query, signal))
    return request !== undefined
  }
}
