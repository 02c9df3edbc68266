import type { SqliteParameters } from '../protocol.ts'

/** What a statement has to be given. */
export interface Placeholders {
  /** By their order. */
  readonly count: number
  /** By their names, or numbers, without what stands before them. */
  readonly names: ReadonlySet<string>
  /** Whether some have no name. */
  readonly anonymous: boolean
}

/**
 * What may hold a placeholder's characters and is none comes first: strings, quoted names, comments, names. What is not closed
 * goes to the end, so that no text is read twice.
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

/** @throws {RangeError} where one is not given: SQLite would take it for NULL. */
export function requireAllGiven({ count, names, anonymous }: Placeholders, parameters: SqliteParameters): void {
  const isList = Array.isArray(parameters)
  if (isList ? parameters.length < count : anonymous) throw new RangeError('Too few parameter values were provided')
  if (isList) return
  for (const name of names) {
    if (!Object.hasOwn(parameters, name)) throw new RangeError(`Missing named parameter "${name}"`)
  }
}
