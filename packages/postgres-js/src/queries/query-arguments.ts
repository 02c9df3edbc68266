import type { ParsedOptions, Query } from '../internals.ts'

/** Types whose values postgres.js prints as they are, unless the user has said otherwise: all numbers and texts. */
const PRINTED_AS_GIVEN = [20, 21, 23, 26, 700, 701, 790, 1700, 18, 19, 25, 1042, 1043]

/** postgres.js prints a text in another form for these: in quotes, or as `f` unless it is `true` itself. */
const BOOL = 16
const JSON_TYPE = 114
const JSONB = 3802

/** Whether numbers and texts are sent in one form, whatever type the server asks for. */
export function printsAsGiven({ serializers }: Pick<ParsedOptions, 'serializers'>): boolean {
  return PRINTED_AS_GIVEN.every((oid) => {
    const print = serializers[oid]
    return print === undefined || (print(7) === '7' && print('a') === 'a')
  })
}

/**
 * The types of the parameters as they count for what may be prepared. One that postgres.js declares is the same prepared or not, and as
 * harmless as a boolean; a text for a boolean or json is no safer than for jsonb.
 */
export function comparableTypes(types: readonly number[], { args }: Query): readonly number[] {
  return types.map((type, index) => {
    if (declaredTypeOf(args[index]) !== 0) return BOOL
    return type === BOOL || type === JSON_TYPE ? JSONB : type
  })
}

/**
 * The values of a query, `null` in place of those whose type postgres.js declares itself, prepared or not. Undefined if there are arrays or
 * objects among them, which postgres.js prints by the type that the server tells.
 */
export function valuesOf({ args }: Query): readonly unknown[] | undefined {
  const values: unknown[] = []
  for (const value of args) {
    const isOwnType = declaredTypeOf(value) !== 0
    if (!isOwnType && typeof value === 'object' && value !== null) return undefined
    values.push(isOwnType ? null : value)
  }
  return values
}

/** The types that postgres.js declares, as it writes them in a signature. */
export function declaredTypesOf({ args }: Query): string {
  return args.map(declaredTypeOf).join()
}

/** As in postgres.js (`inferType` in src/types.js), but for arrays and typed parameters. */
function declaredTypeOf(value: unknown): number {
  if (value instanceof Date) return 1184
  if (value instanceof Uint8Array) return 17
  if (typeof value === 'boolean') return 16
  return typeof value === 'bigint' ? 20 : 0
}
