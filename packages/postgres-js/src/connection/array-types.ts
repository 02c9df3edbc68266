import { InvalidAnswerError, readRows } from '@poolguard/core/connection'
import type { Range, RowReader } from '@poolguard/core/postgres'
import type { ParsedOptions } from '../internals.ts'
import type { PostgresConnection } from './postgres-connection.ts'

type Parse = (text: string) => unknown

/** postgres.js runs this query on every connection, and ends the process if it fails (porsager/postgres#1192). */
const ARRAY_TYPES = `
  select elements.oid, elements.typarray
    from pg_catalog.pg_type arrays
    join pg_catalog.pg_type elements on elements.oid operator(pg_catalog.=) arrays.typelem
   where arrays.typcategory operator(pg_catalog.=) 'A'
   group by elements.oid, elements.typarray
   order by elements.oid`

const OID: Range = { min: 0, max: 2 ** 32 - 1 }

/** Arrays of `box` are the only ones whose elements are separated by semicolons. */
const BOX_ARRAY = 1020

/** Implements `fetch_types`: reads the server's array types, once for all connections of a pool. */
export class ArrayTypes {
  readonly #options: ParsedOptions
  readonly #warn: (message: string) => void
  /** Resolves when the types are known; undefined before the first query for them. */
  #fetched: Promise<void> | undefined

  constructor(options: ParsedOptions, warn: (message: string) => void) {
    this.#options = options
    this.#warn = warn
  }

  /**
   * Runs the query once for all connections. Connections that are opened meanwhile wait for that answer: behind a pooler whose only
   * server connection is in use, a second query would never be answered.
   */
  async fetch(connection: PostgresConnection): Promise<void> {
    if (
      await this.#fetched?.then(
        () => true,
        () => false,
      )
    )
      return
    const fetched = this.#query(connection)
    this.#fetched = fetched
    await fetched
  }

  async #query(connection: PostgresConnection): Promise<void> {
    const rows = (await connection.ask(ARRAY_TYPES)).map(([oid, typarray]) => ({ oid, typarray }))
    try {
      const read = (row: RowReader) => ({ oid: row.integer('oid', OID), typarray: row.integer('typarray', OID) })
      for (const { oid, typarray } of readRows('the query for array types', rows, read)) this.#add(oid, typarray)
    } catch (error) {
      if (!(error instanceof InvalidAnswerError)) throw error
      this.#warn(`${error.message} Until then, arrays are returned as text.`)
    }
  }

  /** Registers an array type's parser and serializer, as postgres.js does. */
  #add(oid: number, typarray: number): void {
    const { parsers, serializers, shared } = this.#options
    if (parsers[typarray] && serializers[typarray]) return
    const parser = parsers[oid] as Parse | undefined
    const delimiter = typarray === BOX_ARRAY ? ';' : ','
    shared.typeArrayMap[oid] = typarray
    // With `array: true`, postgres.js passes the text without its first brace.
    parsers[typarray] = Object.assign((text: string) => parseArray(text, delimiter, parser), { array: true })
    serializers[typarray] = (value) => printArray(value, delimiter, serializers[oid])
  }
}

/**
 * Parses the text format of an array, without its first brace.
 *
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function parseArray(text: string, delimiter: string, parse?: Parse): unknown[] {
  const top: unknown[] = []
  const open: unknown[][] = [top]
  let at = 0
  while (at < text.length) {
    const char = text[at]
    const current = open.at(-1) as unknown[]
    if (char === '{') {
      const inner: unknown[] = []
      current.push(inner)
      open.push(inner)
      at++
    } else if (char === '}') {
      open.pop()
      at++
      if (open.length === 0) break
    } else if (char === delimiter) {
      at++
    } else {
      const element = char === '"' ? readQuoted(text, at + 1) : readBare(text, at, delimiter)
      at = element.end
      current.push(element.value === null ? null : parse ? parse(element.value) : element.value)
    }
  }
  return top
}

interface Element {
  readonly value: string | null
  readonly end: number
}

function readQuoted(text: string, start: number): Element {
  let value = ''
  let at = start
  // The loop must end even if the server omits the closing quote.
  for (; at < text.length && text[at] !== '"'; at++) value += text[at] === '\\' ? (text[++at] ?? '') : text[at]
  return { value, end: at + 1 }
}

function readBare(text: string, start: number, delimiter: string): Element {
  let end = start
  while (end < text.length && text[end] !== delimiter && text[end] !== '}') end++
  const value = text.slice(start, end)
  return { value: value === 'NULL' ? null : value, end }
}

function printArray(value: unknown, delimiter: string, print: ((value: unknown) => unknown) | undefined): unknown {
  if (!Array.isArray(value)) return value
  const elements = value.map((each) => {
    if (each === null || each === undefined) return 'null'
    if (Array.isArray(each)) return printArray(each, delimiter, print)
    return `"${String(print ? print(unwrap(each)) : each)
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"')}"`
  })
  return `{${elements.join(delimiter)}}`
}

/** Returns the value inside a `sql.typed` parameter. */
function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value && value.type
    ? value.value
    : value
}
