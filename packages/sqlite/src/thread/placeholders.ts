import type { SqliteParameters } from '../protocol.ts'

/** The placeholders of a statement. */
export interface Placeholders {
  /** The number of positional parameters. */
  readonly count: number
  /** Names or numbers, without the prefix. */
  readonly names: ReadonlySet<string>
  /** Whether a placeholder has no name. */
  readonly anonymous: boolean
}

/**
 * First matches text that can contain a placeholder's characters without being one: strings, quoted names, comments, names. An
 * unclosed one extends to the end of the text, so that matching takes linear time.
 */
const TOKEN =
  /'[^']*(?:'|$)|"[^"]*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*\]?|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)|[a-z_\x80-\uffff][\w$\x80-\uffff]*|\?(\d*)|[:@$]([\w$\x80-\uffff]+)/gi

/** Reads the placeholders of a statement (https://www.sqlite.org/lang_expr.html#varparam). */
export function readPlaceholders(sql: string): Placeholders {
  const names = new Set<string>()
  let count = 0
  let anonymous = false
  for (const [, number, name] of sql.matchAll(TOKEN)) {
    if (number === '') {
      anonymous = true
      count++
    } else if (number !== undefined) {
      names.add(number)
      count = Math.max(count, Number(number))
    } else if (name !== undefined && !names.has(name)) {
      names.add(name)
      count++
    }
  }
  return { count, names, anonymous }
}

/** @throws {RangeError} if a parameter is missing: SQLite would use NULL. */
export function requireAllGiven({ count, names, anonymous }: Placeholders, parameters: SqliteParameters): void {
  const isList = Array.isArray(parameters)
  if (isList ? parameters.length < count : anonymous) throw new RangeError('Too few parameter values were provided')
  if (isList) return
  for (const name of names) {
    if (!Object.hasOwn(parameters, name)) throw new RangeError(`Missing named parameter "${name}"`)
  }
}
