import { InvalidAnswerError } from './invalid-answer-error.ts'

/** The bounds of a number, both included. */
export interface Range {
  readonly min: number
  readonly max: number
}

const MAX_INT4 = 2_147_483_647
/** Totals of PgBouncer are unsigned and have 64 bits. */
const MAX_TOTAL = 2 ** 64

/** A count of PostgreSQL or PgBouncer. */
export const COUNT: Range = { min: 0, max: MAX_INT4 }
/** A sum since the start of the process. */
const TOTAL: Range = { min: 0, max: MAX_TOTAL }
const DURATION: Range = { min: -MAX_TOTAL, max: MAX_TOTAL }

/** PostgreSQL allows 262,143 connections, and PgBouncer as many clients as it has file descriptors. Reading more rows only takes time. */
export const MAX_ROWS = 300_000
/** Longer than any name or setting. */
const MAX_TEXT_LENGTH = 65_536

const INTEGER = /^[+-]?\d{1,20}$/
const NUMBER = /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?$/i

/**
 * Reads one row of a server's or a pooler's answer and validates it: each column must exist, have the wanted type
 * and be within its range. The order of columns does not matter; other columns are ignored. Numbers may be texts.
 *
 * @example
 * const row = new RowReader('SHOW DATABASES', { pool_size: '20' })
 * row.integer('pool_size') // 20
 */
export class RowReader {
  readonly #source: string
  readonly #row: Readonly<Record<string, unknown>>

  /**
   * @param source the query, for error messages.
   * @throws {InvalidAnswerError} if `row` is not an object.
   */
  constructor(source: string, row: unknown) {
    if (typeof row !== 'object' || row === null) throw new InvalidAnswerError(source, `a row is ${kindOf(row)}`)
    this.#source = source
    this.#row = row as Readonly<Record<string, unknown>>
  }

  /** Whether the column exists, for columns that only some versions have. */
  has(column: string): boolean {
    return Object.hasOwn(this.#row, column)
  }

  /** @throws {InvalidAnswerError} for anything but a whole number in the range. */
  integer(column: string, range: Range = COUNT): number {
    const value = this.#value(column)
    const number = numberOf(value, INTEGER)
    const wanted = `a whole number from ${range.min} to ${range.max}`
    if (number === undefined) throw this.#invalid(column, kindOf(value), wanted)
    if (!Number.isInteger(number)) throw this.#invalid(column, 'a fraction', wanted)
    return this.#within(column, number, range, wanted)
  }

  /** The same, for a column that may be null. */
  integerOrNull(column: string, range?: Range): number | null {
    return this.#value(column) === null ? null : this.integer(column, range)
  }

  /** @throws {InvalidAnswerError} for anything but a number in the range, which may be a fraction. */
  number(column: string, range: Range = TOTAL): number {
    const value = this.#value(column)
    const number = numberOf(value, NUMBER)
    const wanted = `a number from ${range.min} to ${range.max}`
    if (number === undefined) throw this.#invalid(column, kindOf(value), wanted)
    return this.#within(column, number, range, wanted)
  }

  /**
   * A duration. If the server's clock was set back it is negative, and counts as 0.
   *
   * @throws {InvalidAnswerError} for anything but a number in the range.
   */
  duration(column: string): number {
    return Math.max(0, this.number(column, DURATION))
  }

  /** The same, for a column that may be null. */
  durationOrNull(column: string): number | null {
    return this.#value(column) === null ? null : this.duration(column)
  }

  /** @throws {InvalidAnswerError} for anything but a text of a plausible length. */
  text(column: string): string {
    const value = this.#value(column)
    if (typeof value !== 'string') throw this.#invalid(column, kindOf(value), 'a text')
    if (value.length > MAX_TEXT_LENGTH) {
      throw this.#invalid(column, 'a longer text', `at most ${MAX_TEXT_LENGTH} characters`)
    }
    return value
  }

  /** The same, for a column that may be null. */
  textOrNull(column: string): string | null {
    return this.#value(column) === null ? null : this.text(column)
  }

  /** Null is an empty list. @throws {InvalidAnswerError} for anything but a list of texts of a plausible length. */
  texts(column: string): readonly string[] {
    const value = this.#value(column)
    if (value === null) return []
    const isText = (each: unknown) => typeof each === 'string' && each.length <= MAX_TEXT_LENGTH
    if (!Array.isArray(value) || !value.every(isText)) throw this.#invalid(column, kindOf(value), 'a list of texts')
    return value
  }

  /** @throws {InvalidAnswerError} for anything but one of the choices. */
  oneOf<const T extends string>(column: string, choices: readonly T[]): T {
    const value = this.#value(column)
    const found = choices.find((choice) => choice === value)
    if (found === undefined) throw this.#invalid(column, kindOf(value), `one of ${choices.join(', ')}`)
    return found
  }

  /** @throws {InvalidAnswerError} for anything but a boolean, which PostgreSQL writes as `t` and `f`, or as `true` and `false`. */
  flag(column: string): boolean {
    const value = this.#value(column)
    if (value === true || value === 't' || value === 'true') return true
    if (value === false || value === 'f' || value === 'false') return false
    throw this.#invalid(column, kindOf(value), 'true or false')
  }

  #value(column: string): unknown {
    if (!this.has(column)) throw new InvalidAnswerError(this.#source, `there is no column "${column}"`)
    const value = this.#row[column]
    return value === undefined ? null : value
  }

  #within(column: string, number: number, { min, max }: Range, wanted: string): number {
    if (number < min) throw this.#invalid(column, `a number below ${min}`, wanted)
    if (number > max) throw this.#invalid(column, `a number above ${max}`, wanted)
    return number
  }

  #invalid(column: string, kind: string, wanted: string): InvalidAnswerError {
    return new InvalidAnswerError(this.#source, `"${column}" is ${kind} instead of ${wanted}`)
  }
}

/**
 * Reads all rows of an answer.
 *
 * @throws {InvalidAnswerError} if a row is invalid, or if there are more rows than any server or pooler has.
 */
export function readRows<T>(source: string, rows: unknown, read: (row: RowReader) => T): T[] {
  if (!Array.isArray(rows)) throw new InvalidAnswerError(source, `its rows are ${kindOf(rows)}`)
  if (rows.length > MAX_ROWS) throw new InvalidAnswerError(source, `it has more than ${MAX_ROWS} rows`)
  return rows.map((row) => read(new RowReader(source, row)))
}

/**
 * Reads an answer with exactly one row.
 *
 * @throws {InvalidAnswerError} if the answer has no row or more than one, or if the row is invalid.
 */
export function readOneRow<T>(source: string, rows: unknown, read: (row: RowReader) => T): T {
  const [first, ...more] = readRows(source, rows, (row) => row)
  if (!first) throw new InvalidAnswerError(source, 'it has no row')
  if (more.length > 0) throw new InvalidAnswerError(source, 'it has more than one row')
  return read(first)
}

/**
 * Reads an answer in which each name appears only once.
 *
 * @throws {InvalidAnswerError} if a name appears twice, or if a row is invalid.
 */
export function readNamedRows<T>(
  source: string,
  rows: unknown,
  read: (row: RowReader) => readonly [name: string, value: T],
): Map<string, T> {
  const entries = readRows(source, rows, read)
  const named = new Map(entries)
  if (named.size < entries.length) throw new InvalidAnswerError(source, 'a name appears in more than one row')
  return named
}

/**
 * Parses a JSON answer.
 *
 * @throws {InvalidAnswerError} if it is not JSON; the parser's own error would show a part of the text.
 */
export function parseAnswer(source: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidAnswerError(source, 'it is not JSON')
  }
}

function numberOf(value: unknown, pattern: RegExp): number | undefined {
  const number = typeof value === 'bigint' || (typeof value === 'string' && pattern.test(value)) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'a number that is not finite'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
