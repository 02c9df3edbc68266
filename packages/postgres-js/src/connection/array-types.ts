import { InvalidAnswerError } from '@poolguard/core'
import { type Range, type RowReader, readRows } from '@poolguard/core/postgres'
import type { ParsedOptions } from '../internals.ts'
import type { PostgresConnection } from './postgres-connection.ts'

type Parse = (text: string) => unknown

/** As postgres.js asks for them on every connection, and lets the process die where that fails (porsager/postgres#1192). */
const ARRAY_TYPES = `
  select elements.oid, elements.typarray
    from pg_catalog.pg_type arrays
    join pg_catalog.pg_type elements on elements.oid operator(pg_catalog.=) arrays.typelem
   where arrays.typcategory operator(pg_catalog.=) 'A'
   group by elements.oid, elements.typarray
   order by elements.oid`

const OID: Range = { min: 0, max: 2 ** 32 - 1 }

/** `box` (1020 is its array) is the one type whose elements are parted otherwise. */
const BOX_ARRAY = 1020

/** What `fetch_types` does: learns the server's array types, once for all connections of a pool. */
export class ArrayTypes {
  readonly #options: ParsedOptions
  readonly #warn: (message: string) => void
  /** Resolved where they are known; undefined until a connection has asked. */
  #learnt: Promise<void> | undefined

  constructor(options: ParsedOptions, warn: (message: string) => void) {
    this.#options = options
    this.#warn = warn
  }

  /**
   * Asks once for all connections. One that is opened meanwhile waits for that answer: behind a pooler whose only server is
   * taken, its own question would not be answered.
   */
  async learn(connection: PostgresConnection): Promise<void> {
    if (
      await this.#learnt?.then(
        () => true,
        () => false,
      )
    )
      return
    const learnt = this.#ask(connection)
    this.#learnt = learnt
    await learnt
  }

  async #ask(connection: PostgresConnection): Promise<void> {
    const rows = (await connection.ask(ARRAY_TYPES)).map(([oid, typarray]) => ({ oid, typarray }))
    try {
      const read = (row: RowReader) => ({ oid: row.integer('oid', OID), typarray: row.integer('typarray', OID) })
      for (const { oid, typarray } of readRows('the query for array types', rows, read)) this.#add(oid, typarray)
    } catch (error) {
      if (!(error instanceof InvalidAnswerError)) throw error
      this.#warn(`${error.message} Until then arrays come back as text.`)
    }
  }

  /** As in postgres.js. */
  #add(oid: number, typarray: number): void {
    const { parsers, serializers, shared } = this.#options
    if (parsers[typarray] && serializers[typarray]) return
    const parser = parsers[oid] as Parse | undefined
    const delimiter = typarray === BOX_ARRAY ? ';' : ','
    shared.typeArrayMap[oid] = typarray
    // The mark tells postgres.js to leave out the first brace.
    parsers[typarray] = Object.assign((text: string) => parseArray(text, delimiter, parser), { array: true })
    serializers[typarray] = (value) => printArray(value, delimiter, serializers[oid])
  }
}

/**
 * Reads an array as the server writes it, but for its first brace.
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
  // A server that leaves out the closing quote must not keep us here.
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

/** A value with its type, made by `sql.typed`. */
function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value && value.type
    ? value.value
    : value
}
