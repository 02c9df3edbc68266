import { readFile } from 'node:fs'
import { traceAwaiting, traceCall } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { type Handler, type Query, type QueryConstructor, queryOf, wrapFirstThen } from '../internals.ts'

/** The methods that create queries, common to `sql`, transactions and reserved connections. */
type QueryMaker = Pick<Sql, 'unsafe' | 'file' | 'notify' | 'json' | 'array' | 'types' | 'typed'> &
  ((...args: never[]) => unknown)

/**
 * Returns a `sql` that creates the same queries as another one and passes them to `handle`. A query is handled once, when its outcome is
 * first requested; a fragment of another query is never handled. With `capturesStacks`, a query records where it was created.
 */
export function bindQueries(
  sql: QueryMaker,
  handle: (query: Query) => void,
  { capturesStacks }: { readonly capturesStacks: (query: Query) => boolean } = { capturesStacks: () => false },
): QueryMaker {
  const { constructor: TaggedQuery, canceller } = queryOf(sql as unknown as Sql) as Query & {
    constructor: QueryConstructor
  }
  const handler: Handler = (query) => handle(query as Query)
  handler.debug = (sql as unknown as Pick<Sql, 'options'>).options?.debug
  const route = (query: unknown): unknown => {
    ;(query as Query).handler = handler
    return query
  }
  const make = sql as unknown as (...args: unknown[]) => unknown
  // Created here, because postgres.js keeps only four stack frames: so the last one is the caller's.
  const bound = (first: unknown, ...rest: unknown[]): unknown => {
    if (!isTemplate(first)) return make(first, ...rest)
    const query = new TaggedQuery(first, rest, handler, canceller)
    if (capturesStacks(query)) traceQuery(query, bound)
    return query
  }
  const tagged = bound as unknown as Sql
  const unsafe = (...args: Parameters<Sql['unsafe']>) => {
    const query = route(sql.unsafe(...args)) as Query
    // postgres.js never prepares an `unsafe` query by default; the pool decides instead.
    query.undecided = query.args.length > 0 && args[2]?.prepare === undefined && !query.options.simple
    if (capturesStacks(query)) traceQuery(query, unsafe)
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

/** Reads the file as postgres.js does, and then calls `handle`. postgres.js' own code would call the original handler. */
function readThen(path: Parameters<Sql['file']>[0], query: Query, handle: (query: Query) => void): void {
  readFile(path as string, 'utf8', (error, text) => {
    if (error) return query.reject(error)
    query.strings = [text]
    handle(query)
  })
}

/**
 * Records where a query was created and awaited: when it acquires a connection, the caller's stack is gone. Only the first `then`
 * shows which code awaits the query.
 */
function traceQuery(query: Query, below: (...args: never[]) => unknown): void {
  const traces = traceCall(below)
  query.traces = traces
  wrapFirstThen(query, (outcome) => traceAwaiting(outcome, traces))
}
