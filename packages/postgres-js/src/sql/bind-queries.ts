import { readFile } from 'node:fs'
import { traceAwaiting, traceCall } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { type Handler, type Query, type QueryConstructor, queryOf, wrapFirstThen } from '../internals.ts'

/** What makes queries: the common part of `sql`, of a transaction's and of a reserved one. */
type QueryMaker = Pick<Sql, 'unsafe' | 'file' | 'notify' | 'json' | 'array' | 'types' | 'typed'> &
  ((...args: never[]) => unknown)

/**
 * A `sql` that makes the same queries as another one, and has them handled by somebody else. With `capturesStacks` a query
 * remembers where it was made. A query is handled once, when somebody first wants its outcome; one that is a fragment of
 * another never is.
 */
export function bindQueries(
  sql: QueryMaker,
  handle: (query: Query) => void,
  { capturesStacks }: { readonly capturesStacks: () => boolean } = { capturesStacks: () => false },
): QueryMaker {
  const { constructor: TaggedQuery, canceller } = queryOf(sql as unknown as Sql) as Query & {
    constructor: QueryConstructor
  }
  const handler: Handler = (query) => handle(query as Query)
  handler.debug = (sql as unknown as Pick<Sql, 'options'>).options?.debug
  const route = (made: unknown): unknown => {
    ;(made as Query).handler = handler
    return made
  }
  const make = sql as unknown as (...args: unknown[]) => unknown
  // Made here and not by postgres.js, which keeps four frames of a stack: the last is then the one that wrote the query.
  const bound = (first: unknown, ...rest: unknown[]): unknown => {
    if (!isTemplate(first)) return make(first, ...rest)
    const query = new TaggedQuery(first, rest, handler, canceller)
    if (capturesStacks()) traceQuery(query, bound)
    return query
  }
  const tagged = bound as unknown as Sql
  const unsafe = (...args: Parameters<Sql['unsafe']>) => {
    const query = route(sql.unsafe(...args)) as Query
    // postgres.js would not prepare it, whatever it is.
    query.undecided = query.args.length > 0 && args[2]?.prepare === undefined && !query.options.simple
    if (capturesStacks()) traceQuery(query, unsafe)
    return query
  }
  return Object.assign(bound, {
    types: sql.types,
    typed: sql.typed,
    json: sql.json,
    array: sql.array,
    unsafe,
    file: (...args: Parameters<Sql['file']>) => {
      const query = sql.file(...args) as unknown as Query
      query.handler = () => readThen(args[0], query, handle)
      return query
    },
    notify: async (channel: string, payload: string) =>
      await tagged`select pg_catalog.pg_notify(${channel}, ${`${payload}`})`,
  }) as unknown as QueryMaker
}

function isTemplate(first: unknown): first is TemplateStringsArray {
  return Array.isArray(first) && 'raw' in first
}

/** As postgres.js does it, whose own goes on to the handler that it was made with. */
function readThen(path: Parameters<Sql['file']>[0], query: Query, handle: (query: Query) => void): void {
  readFile(path as string, 'utf8', (error, text) => {
    if (error) return query.reject(error)
    query.strings = [text]
    handle(query)
  })
}

/**
 * Remembers where a query was made and who awaits it: by the time it asks for a connection, postgres.js has left the caller's
 * stack behind. Only the first `then` shows who wants the outcome.
 */
function traceQuery(query: Query, below: (...args: never[]) => unknown): void {
  const traces = traceCall(below)
  query.traces = traces
  wrapFirstThen(query, (outcome) => traceAwaiting(outcome, traces))
}
