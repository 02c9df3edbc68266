import { InvalidAnswerError } from './invalid-answer-error.ts'

/** The bounds of a number, both included. */
export interface Range {
  readonly min: number
  readonly max: number
}

const MAX_INT4 = 2_147_483_647
/** Totals of PgBouncer are unsigned and have 64 bits. */
const MAX_TOTAL = 2 ** 64

/** How many there are of something, as PostgreSQL and PgBouncer count. */
export const COUNT: Range = { min: 0, max: MAX_INT4 }
/** A sum since the start. */
const TOTAL: Range = { min: 0, max: MAX_TOTAL }
const DURATION: Range = { min: -MAX_TOTAL, max: MAX_TOTAL }

/** PostgreSQL allows 262,143 connections, and PgBouncer as many clients as it has file descriptors. Reading more only takes time. */
export const MAX_ROWS = 300_000
/** No name and no setting is as long. */
const MAX_TEXT_LENGTH = 65_536

const INTEGER = /^[+-]?\d{1,20}$/
const NUMBER = /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?$/i

/**
 * Reads one row of a server's or a pooler's answer and believes nothing: each column has to be there, to be of the wanted type
 * and to lie within its range. Columns may stand in any order; others are ignored. Numbers may come as text.
 *
 * @example
 * const row = new RowReader('SHOW DATABASES', { pool_size: '20' })
 * row.integer('pool_size') // 20
 */
export class RowReader {
  readonly #source: string
  readonly #row: Readonly<Record<string, unknown>>

  /**
   * @param source what was asked, for errors.
   * @throws {InvalidAnswerError} where the row is none.
   */
  constructor(source: string, row: unknown) {
    if (typeof row !== 'object' || row === null) throw new InvalidAnswerError(source, `a row is ${kindOf(row)}`)
    this.#source = source
    this.#row = row as Readonly<Record<string, unknown>>
  }

  /** Whether there is such a column, for those that only some versions have. */
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

  /** The same, where null has a meaning. */
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
   * A duration, which is negative where a clock was set back, and counts as 0 then.
   *
   * @throws {InvalidAnswerError} for anything but a number in the range.
   */
  duration(column: string): number {
    return Math.max(0, this.number(column, DURATION))
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

  /** The same, where null has a meaning. */
  textOrNull(column: string): string | null {
    return this.#value(column) === null ? null : this.text(column)
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
 * @throws {InvalidAnswerError} where one of them is invalid, or where there are more rows than any server or pooler has.
 */
export function readRows<T>(source: string, rows: unknown, read: (row: RowReader) => T): T[] {
  if (!Array.isArray(rows)) throw new InvalidAnswerError(source, `its rows are ${kindOf(rows)}`)
  if (rows.length > MAX_ROWS) throw new InvalidAnswerError(source, `it has more than ${MAX_ROWS} rows`)
  return rows.map((row) => read(new RowReader(source, row)))
}

/**
 * Reads an answer that has exactly one row.
 *
 * @throws {InvalidAnswerError} where it has none or more than one, or where that one is invalid.
 */
export function readOneRow<T>(source: string, rows: unknown, read: (row: RowReader) => T): T {
  const [first, ...more] = readRows(source, rows, (row) => row)
  if (!first) throw new InvalidAnswerError(source, 'it has no row')
  if (more.length > 0) throw new InvalidAnswerError(source, 'it has more than one row')
  return read(first)
}

/**
 * Reads an answer in which a name stands only once.
 *
 * @throws {InvalidAnswerError} where a name repeats, or where a row is invalid.
 */
export function readNamedRows<T>(
  source: string,
  rows: unknown,
  read: (row: RowReader) => readonly [name: string, value: T],
): Map<string, T> {
  const entries = readRows(source, rows, read)
  const named = new Map(entries)
  if (named.size < entries.length) throw new InvalidAnswerError(source, 'a name stands in more than one row')
  return named
}

/**
 * Parses an answer of JSON.
 *
 * @throws {InvalidAnswerError} where it is none; the parser's own error would show a part of it.
 */
export function parseAnswer(source: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidAnswerError(source, 'it is no JSON')
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
