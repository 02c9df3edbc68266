import type { ParsedOptions, Query } from '../internals.ts'
import { isFragment, textOf } from './statement-text.ts'

/**
 * The text of a query that may be sent behind others; undefined for a query that must have its own connection (a cursor, the simple
 * protocol, a description), and for one with parts that postgres.js generates, such as `sql(name)`: its text is not known here.
 */
export function pipelinedTextOf(query: Query): string | undefined {
  const { options, cursorFn, onlyDescribe } = query
  if (options.simple || cursorFn || onlyDescribe || 'onexecute' in options) return undefined
  return query.args.every(isPlain) ? textOf(query) : undefined
}

const PLAIN = ['string', 'number', 'bigint', 'boolean']

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object') return PLAIN.includes(typeof value)
  if (value === null || value instanceof Date || value instanceof Uint8Array) return true
  if (isFragment(value)) return value.args.every(isPlain)
  return Array.isArray(value) && value.every(isPlain)
}

/**
 * Whether postgres.js can serialize the parameters for these types. If it cannot, it throws while it sends the query, and then takes the
 * query ahead for the failed one.
 */
export function canSerialize(
  query: Query,
  types: readonly number[],
  { serializers }: Pick<ParsedOptions, 'serializers'>,
): boolean {
  const values = query.args.some(isNested) ? [...parametersOf(query)] : query.args
  if (values.length !== types.length) return false
  try {
    for (let index = 0; index < values.length; index++) {
      if (values[index] !== null) serializers[types[index] as number]?.(values[index])
    }
    return true
  } catch {
    return false
  }
}

/** Whether an argument may be more than one parameter, or none. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && (isFragment(value) || (Array.isArray(value) && isFragment(value[0])))
}

/** The values that become parameters, in order; those of fragments included. */
function* parametersOf({ args }: Query): Generator<unknown> {
  for (const value of args) {
    if (isFragment(value)) yield* parametersOf(value)
    else if (Array.isArray(value) && isFragment(value[0])) for (const each of value) yield* parametersOf(each as Query)
    else yield value
  }
}

/** The approximate size of the request. */
export function sizeOf(query: Query, text: string): number {
  let bytes = text.length
  for (const value of query.args) bytes += sizeOfValue(value)
  return bytes
}

function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Uint8Array) return value.byteLength
  return Array.isArray(value) ? value.length * 16 : 8
}
