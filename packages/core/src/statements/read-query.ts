import type { FindingList } from './finding-list.ts'
import { ADVISORY_FUNCTIONS, finding, type StatementFinding } from './statement-finding.ts'
import type { StatementReader } from './statement-reader.ts'

const SET_CONFIG = finding('set', 'set_config(..., false)')
const SELECT_INTO = finding('temporary-table', 'SELECT INTO TEMPORARY')

const FUNCTIONS: readonly (readonly [name: string, finding: StatementFinding])[] = [
  ...ADVISORY_FUNCTIONS.map((found) => [found.construct, found] as const),
  ['set_config', SET_CONFIG],
]
const SHORTEST_NAME = Math.min(...FUNCTIONS.map(([name]) => name.length))

/** A call of set_config whose closing parenthesis has not been seen. */
interface OpenCall {
  /** The nesting depth of its arguments. */
  readonly depth: number
  commas: number
  readonly outer: OpenCall | undefined
}

/** The previous token, as needed to tell whether a name is a function's, and whether INTO belongs to a SELECT. */
type Before = 'anything' | 'catalog' | 'dot of catalog' | 'dot' | 'insert' | 'into'

/**
 * Reads a query to its end, and reports calls that change the session, at any depth, and `SELECT .. INTO TEMPORARY`. Iterative,
 * because the text determines the depth of parentheses.
 */
export function readQuery(reader: StatementReader, findings: FindingList): void {
  let depth = 0
  let open: OpenCall | undefined
  let before = 'anything' as Before

  while (reader.kind !== 'end') {
    if (reader.kind === 'word' || reader.kind === 'name') {
      const called = before === 'dot' || before === 'into' ? undefined : functionNamed(reader)
      const inserting = before === 'insert'
      before = called ? 'anything' : meaningOf(reader)
      reader.next()
      if (called && reader.isPunctuation('(')) {
        if (called === SET_CONFIG) open = { depth: depth + 1, commas: 0, outer: open }
        else findings.add(called)
      } else if (before === 'into' && !inserting && takeTemporaryTarget(reader)) findings.add(SELECT_INTO)
      continue
    }
    if (reader.isPunctuation('.')) before = before === 'catalog' ? 'dot of catalog' : 'dot'
    else before = 'anything'

    if (reader.kind === 'punctuation') {
      if (depth === 0 && reader.isPunctuation(';')) return
      if (reader.isPunctuation('(') || reader.isPunctuation('[')) depth++
      else if (reader.isPunctuation(')') || reader.isPunctuation(']')) {
        if (open?.depth === depth) open = open.outer
        if (depth > 0) depth--
      } else if (open?.depth === depth && reader.isPunctuation(',')) {
        open.commas++
        reader.next()
        if (open.commas === 2 && takeFalse(reader) && reader.isPunctuation(')')) findings.add(SET_CONFIG)
        continue
      }
    }
    reader.next()
  }
}

function meaningOf(reader: StatementReader): Before {
  if (reader.isWord('into')) return 'into'
  if (reader.isWord('insert') || reader.isWord('merge')) return 'insert'
  return reader.isIdentifier('pg_catalog') ? 'catalog' : 'anything'
}

function functionNamed(reader: StatementReader): StatementFinding | undefined {
  if (reader.end - reader.start < SHORTEST_NAME) return undefined
  for (const [name, found] of FUNCTIONS) if (reader.isIdentifier(name)) return found
  return undefined
}

/** Words that cannot be the name of a table, but can follow a table named `temp`. */
const RESERVED = [
  'from',
  'where',
  'group',
  'having',
  'window',
  'union',
  'intersect',
  'except',
  'order',
  'limit',
  'offset',
  'fetch',
  'for',
]

/** Reads past `[LOCAL | GLOBAL] TEMP [TABLE] name`. Returns false if `temp` is the name of a table instead. */
function takeTemporaryTarget(reader: StatementReader): boolean {
  if (!reader.takeWord('local')) reader.takeWord('global')
  if (!reader.takeWord('temporary') && !reader.takeWord('temp')) return false
  reader.takeWord('table')
  if (reader.kind === 'name') return true
  return reader.kind === 'word' && !RESERVED.some((word) => reader.isWord(word))
}

const FALSE_LITERAL = /^(?:e|u&)?'(?:f|false|off|no|n|0)'$/i

/** Reads past a literal false, a keyword or a string, with or without a cast to boolean. */
function takeFalse(reader: StatementReader): boolean {
  const literal =
    reader.isWord('false') ||
    (reader.kind === 'string' &&
      reader.end - reader.start < 10 &&
      FALSE_LITERAL.test(reader.text.slice(reader.start, reader.end)))
  if (!literal) return false
  reader.next()
  if (reader.kind === 'operator' && reader.text.startsWith('::', reader.start)) {
    reader.next()
    return reader.takeWord('boolean') || reader.takeWord('bool')
  }
  return true
}
