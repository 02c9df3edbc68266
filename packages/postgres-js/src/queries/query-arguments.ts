import type { ParsedOptions, Query } from '../internals.ts'

/** Types whose values postgres.js sends unchanged unless the user overrides the serializer: all numbers and texts. */
const PRINTED_AS_GIVEN = [20, 21, 23, 26, 700, 701, 790, 1700, 18, 19, 25, 1042, 1043]

/** For these types postgres.js changes a text: it adds quotes, or sends `f` for everything except `true`. */
const BOOL = 16
const JSON_TYPE = 114
const JSONB = 3802

/** True if numbers and texts are sent in the same form for every type. */
export function printsAsGiven({ serializers }: Pick<ParsedOptions, 'serializers'>): boolean {
  return PRINTED_AS_GIVEN.every((oid) => {
    const print = serializers[oid]
    return print === undefined || (print(7) === '7' && print('a') === 'a')
  })
}

/**
 * The types of the parameters for the decision whether a statement may be prepared. A type that postgres.js declares itself does not
 * depend on preparing and counts as boolean, which is safe. boolean and json count as jsonb, which is not: postgres.js changes texts for them.
 */
export function comparableTypes(types: readonly number[], { args }: Query): readonly number[] {
  return types.map((type, index) => {
    if (declaredTypeOf(args[index]) !== 0) return BOOL
    return type === BOOL || type === JSON_TYPE ? JSONB : type
  })
}

/**
 * The values of a query, with `null` for values whose type postgres.js declares itself. Undefined if there are arrays or objects, which
 * postgres.js serializes by the type that the server reports.
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

/** The types that postgres.js declares, in the format of its signatures. */
export function declaredTypesOf({ args }: Query): string {
  return args.map(declaredTypeOf).join()
}

/** The same as `inferType` in postgres.js' src/types.js, without arrays and typed parameters. */
function declaredTypeOf(value: unknown): number {
  if (value instanceof Date) return 1184
  if (value instanceof Uint8Array) return 17
  if (typeof value === 'boolean') return 16
  return typeof value === 'bigint' ? 20 : 0
}
