import type { SqliteParameters, SqliteValue } from '../protocol.ts'

/**
 * Takes parameters as the user gave them.
 *
 * @throws {TypeError} for what SQLite has no type for, with its place: drivers disagree on it, or say less.
 */
export function readParameters(parameters: unknown): SqliteParameters {
  if (parameters === undefined) return []
  if (Array.isArray(parameters)) return parameters.map((value, index) => readValue(value, index + 1))
  if (typeof parameters === 'object' && parameters !== null && !ArrayBuffer.isView(parameters)) {
    const named = Object.entries(parameters)
    return Object.fromEntries(named.map(([name, value]) => [name, readValue(value, `"${name}"`)]))
  }
  throw new TypeError('Parameters are given as a list, or as an object with their names')
}

function readValue(value: unknown, place: number | string): SqliteValue {
  switch (typeof value) {
    case 'string':
    case 'number':
      return value
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return value
      break
    case 'object':
      if (value === null) return value
      // As they are now, and without the buffer that they may be a part of, which a message would copy whole.
      if (value instanceof Uint8Array) return new Uint8Array(value)
  }
  const found = value instanceof Date ? 'a Date' : `a ${typeof value}`
  throw new TypeError(`Parameter ${place} is ${found}: SQLite takes null, numbers, bigints of 64 bits, texts and bytes`)
}

/** @throws {TypeError} for a statement that is no text, as whoever comes from another driver may give it. */
export function requireText(sql: unknown): void {
  if (typeof sql !== 'string') throw new TypeError('A statement is given as a text, and its parameters beside it')
}
