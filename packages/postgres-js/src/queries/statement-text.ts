import type { ParsedOptions, Query } from '../internals.ts'

/**
 * The text of a query, as far as it matters for what kind of statement it is: parameters stand as `$1`, and so does what
 * postgres.js makes of objects.
 */
export function textOf(query: Query): string {
  return query.strings.reduce((text, part, index) => text + fragmentOf(query.args[index - 1]) + part)
}

function fragmentOf(value: unknown): string {
  if (Array.isArray(value)) return isFragment(value[0]) ? value.map((each) => ` ${fragmentOf(each)}`).join('') : '$1'
  return isFragment(value) ? textOf(value) : '$1'
}

function isFragment(value: unknown): value is Query {
  return value instanceof Promise && 'strings' in value
}

/** The name under which a query will be prepared, or something like it; undefined where it will not be. */
export function preparedNameOf({ options }: Query, shared: ParsedOptions): string | undefined {
  return shared.prepare && options.prepare !== false && !options.simple ? 'postgres.js' : undefined
}
