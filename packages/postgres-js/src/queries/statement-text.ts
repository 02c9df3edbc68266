import type { ParsedOptions, Query } from '../internals.ts'

/**
 * The text of a query, precise enough to tell the kind of statement. Every parameter becomes `$1`, and so does the SQL that postgres.js
 * generates from objects.
 */
export function textOf(query: Query): string {
  return query.strings.reduce((text, part, index) => text + fragmentOf(query.args[index - 1]) + part)
}

function fragmentOf(value: unknown): string {
  if (Array.isArray(value)) return isFragment(value[0]) ? value.map((each) => ` ${fragmentOf(each)}`).join('') : '$1'
  return isFragment(value) ? textOf(value) : '$1'
}

/** The strings of a tagged template, the same array at every call; undefined if the text depends on more than the template. */
function templateOf({ strings, args }: Pick<Query, 'strings' | 'args'>): object | undefined {
  return 'raw' in strings && !args.some((arg) => Array.isArray(arg) || isFragment(arg)) ? strings : undefined
}

/** What identifies the statement of a query: its template, which costs less than its text, or else the text. */
export function statementKeyOf(query: Query): string | object {
  return templateOf(query) ?? textOf(query)
}

/** True for a query that is part of another one. */
export function isFragment(value: unknown): value is Query {
  return value instanceof Promise && 'strings' in value
}

/** A placeholder name if postgres.js will prepare the query; undefined if not. */
export function preparedNameOf({ options }: Query, shared: ParsedOptions): string | undefined {
  return shared.prepare && options.prepare !== false && !options.simple ? 'postgres.js' : undefined
}
