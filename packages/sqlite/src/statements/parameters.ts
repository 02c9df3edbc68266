import type { SqliteParameters, SqliteValue } from '../protocol.ts'

/**
 * Validates and copies the caller's parameters.
 *
 * @throws {TypeError} for a value that SQLite has no type for, with its position: the drivers' own errors differ.
 */
export function readParameters(parameters: unknown): SqliteParameters {
  if (parameters === undefined) return []
  if (Array.isArray(parameters)) return parameters.map((value, index) => readValue(value, index + 1))
  if (typeof parameters === 'object' && parameters !== null && !ArrayBuffer.isView(parameters)) {
    const named = Object.entries(parameters)
    return Object.fromEntries(named.map(([name, value]) => [name, readValue(value, `"${name}"`)]))
  }
  throw new TypeError('Parameters must be an array, or an object with parameter names as keys')
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
      // Copy the bytes: the caller may change them, and a message would copy the whole underlying buffer.
      if (value instanceof Uint8Array) return new Uint8Array(value)
  }
  const found = value instanceof Date ? 'a Date' : `a ${typeof value}`
  throw new TypeError(
    `Parameter ${place} is ${found}: SQLite accepts null, number, bigint (64 bits), string and Uint8Array`,
  )
}

/** @throws {TypeError} for a statement that is not a string, such as the statement object of another driver. */
export function requireText(sql: unknown): void {
  if (typeof sql !== 'string')
    throw new TypeError('A statement must be a string, with its parameters as a separate argument')
}
