import { readOnlyFunctions } from './read-only-functions.ts'
import { StatementReader } from './statement-reader.ts'

/** Which statements may share a connection: `reads` those that only read, `all` also those that write rows. */
export type ShareMode = 'reads' | 'all'

/** Longer texts are generated, and hardly ever repeat. */
const MAX_TEXT = 10_000

const READS: ReadonlySet<string> = new Set(['select', 'values', 'table', 'with'])
const WRITES: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'merge'])

/** Words before a parenthesis that are syntax. PostgreSQL's grammar does not accept them as the name of a function. TREAT calls any. */
const SYNTAX: ReadonlySet<string> = new Set(
  [
    'all and any array as asc between both case cast coalesce collate desc distinct else end except exists extract fetch for from',
    'greatest group grouping having in intersect into lateral leading least limit normalize not nullif offset on only or order overlay',
    'position returning row select some substring then trailing trim union using values when where window with',
    'bit boolean char character dec decimal float interval numeric national nchar real time timestamp varchar',
  ].flatMap((line) => line.split(' ')),
)

/** Words after which an expression begins, so that a following `join(` or `like(` is a call. */
const BEFORE_EXPRESSION: ReadonlySet<string> = new Set(
  [
    'select distinct all where and or not on by having when then else case between is from limit offset values any some in returning',
    'like ilike similar to escape symmetric asymmetric overlaps collate zone union except intersect only lateral join with as for fetch',
  ].flatMap((line) => line.split(' ')),
)

/** Functions that lock, block or depend on the session, for statements that may write. */
const SESSION_FUNCTIONS: ReadonlySet<string> = new Set([
  'set_config',
  'setseed',
  'currval',
  'lastval',
  'pg_export_snapshot',
  'treat',
])
const SESSION_PREFIX = /^(?:pg_(?:try_)?advisory|pg_sleep|pg_replication|pg_(?:create|drop|copy)_|pg_wal_|dblink|lo_)/
/** `x.f` calls f(x) if x has no column f: functions of one argument that must not be called. */
const CALLED_AS_COLUMN =
  /^(?:pg_|lo_|dblink|binary_upgrade_|brin_|(?:nextval|currval|setseed|ts_stat|gin_clean_pending_list)$)/

/**
 * Why a text must not share a connection with other callers' statements, judged by the text alone; undefined if it may. With `reads`
 * the text is one SELECT, VALUES, TABLE or WITH that modifies nothing, locks no row, and calls only functions that are known to read.
 *
 * A text does not show everything that it runs: views, operators, casts, row-level security and functions of the application that
 * overload a function of PostgreSQL, or are called like a column (`t.f`), may call any code.
 *
 * @example
 * shareObstacle('select * from orders where id = $1', 'reads') // undefined
 * shareObstacle('select * from orders for update', 'reads') // 'it locks rows'
 */
export function shareObstacle(text: string, mode: ShareMode): string | undefined {
  if (text.length > MAX_TEXT) return `it is longer than ${MAX_TEXT} characters`
  const reader = new StatementReader(text, false)
  reader.next()
  while (reader.isPunctuation('(')) reader.next()
  const first = reader.kind === 'word' ? wordOf(reader) : ''
  if (!READS.has(first) && !(mode === 'all' && WRITES.has(first))) {
    return WRITES.has(first) ? 'it writes' : 'it is not a query'
  }
  return new ObstacleSearch(reader, mode).run()
}

type Before = 'operand' | 'closing' | 'dot' | 'other'

class ObstacleSearch {
  readonly #reader: StatementReader
  readonly #mode: ShareMode
  #before: Before = 'other'
  /** The token before, if it is a word. */
  #word = ''
  #wordBefore = ''
  #hasDistinctOn = false
  /** The name before the last dot; empty if a dot is before it, too. */
  #qualifier = ''

  constructor(reader: StatementReader, mode: ShareMode) {
    this.#reader = reader
    this.#mode = mode
  }

  run(): string | undefined {
    const reader = this.#reader
    while (reader.kind !== 'end') {
      if (reader.isPunctuation(';')) return reader.next() ? 'it may be several statements' : undefined
      const obstacle = reader.kind === 'word' || reader.kind === 'name' ? this.#readName() : this.#readToken()
      if (obstacle !== undefined) return obstacle
    }
    return undefined
  }

  #readToken(): string | undefined {
    const reader = this.#reader
    const { kind } = reader
    // With standard_conforming_strings off, the string would end elsewhere.
    if (kind === 'string' && reader.text.startsWith("'", reader.start) && this.#includes('\\')) {
      return 'a string in it contains a backslash'
    }
    let before: Before = 'other'
    if (kind === 'string' || kind === 'number' || kind === 'parameter') before = 'operand'
    else if (reader.isPunctuation(')') || reader.isPunctuation(']')) before = 'closing'
    else if (reader.isPunctuation('.')) before = 'dot'
    if (before !== 'dot') this.#qualifier = ''
    this.#remember(before, '')
    reader.next()
    return undefined
  }

  #includes(character: string): boolean {
    const found = this.#reader.text.indexOf(character, this.#reader.start)
    return found >= 0 && found < this.#reader.end
  }

  #readName(): string | undefined {
    const reader = this.#reader
    const quoted = reader.kind === 'name'
    if (quoted && !reader.text.startsWith('"', reader.start)) return 'a name in it is written with U&'
    const name = quoted ? reader.text.slice(reader.start + 1, reader.end - 1) : wordOf(reader)
    const dotted = this.#before === 'dot'
    if (!quoted && !dotted) {
      const obstacle = this.#obstacleOfWord(name)
      if (obstacle !== undefined) return obstacle
    }
    reader.next()
    const obstacle = reader.isPunctuation('(')
      ? this.#obstacleOfCall(name, quoted, dotted)
      : this.#obstacleOfColumn(name, dotted)
    if (obstacle !== undefined) return obstacle
    this.#qualifier = dotted ? '' : name
    const startsExpression = !quoted && !dotted && BEFORE_EXPRESSION.has(name)
    this.#remember(startsExpression ? 'other' : 'operand', quoted || dotted ? '' : name)
    return undefined
  }

  #remember(before: Before, word: string): void {
    this.#before = before
    this.#wordBefore = this.#word
    this.#word = word
  }

  /** The words are reserved, or cost a column of that name only that its statement runs alone. */
  #obstacleOfWord(word: string): string | undefined {
    if (word === 'on' && this.#word === 'distinct') this.#hasDistinctOn = true
    const isLock = this.#word === 'for' && (word === 'share' || word === 'no' || word === 'key')
    if (this.#mode === 'all') return word === 'into' && !this.#followsInsert() ? 'it creates a table' : undefined
    if (isLock || (this.#word === 'for' && word === 'update')) return 'it locks rows'
    if (word === 'into') return 'it creates a table'
    return WRITES.has(word) ? 'it writes' : undefined
  }

  #followsInsert(): boolean {
    return this.#word === 'insert' || this.#word === 'merge'
  }

  #obstacleOfCall(name: string, quoted: boolean, dotted: boolean): string | undefined {
    if (this.#mode === 'all') {
      const isOfSession = SESSION_FUNCTIONS.has(name) || SESSION_PREFIX.test(name)
      return isOfSession && !this.#namesColumns() ? `it calls ${name}` : undefined
    }
    if (dotted) {
      const isKnown = this.#qualifier === 'pg_catalog' && readOnlyFunctions().has(name)
      return isKnown ? undefined : unknownFunction(name)
    }
    if (readOnlyFunctions().has(name)) return undefined
    const isSyntax = this.#namesColumns() || (!quoted && (SYNTAX.has(name) || this.#isClause(name)))
    return isSyntax ? undefined : unknownFunction(name)
  }

  /** `as x(...)` and `with x(...) as` define names, and `as numeric(...)` is a type. */
  #namesColumns(): boolean {
    if (this.#word === 'as' || this.#word === 'with') return true
    return this.#word === 'recursive' && this.#wordBefore === 'with'
  }

  /** Words that are syntax only in some places, because functions may have the same names. */
  #isClause(word: string): boolean {
    if (word === 'by') return ['order', 'group', 'partition'].includes(this.#word)
    if (word === 'materialized') return this.#word === 'as' || (this.#word === 'not' && this.#wordBefore === 'as')
    if (word === 'varying') return this.#word === 'character'
    // After DISTINCT ON (...), which also ends with a parenthesis, the list of results begins.
    if (word === 'over' || word === 'filter') return this.#before === 'closing' && !this.#hasDistinctOn
    if (word === 'join' || word === 'like' || word === 'ilike') return this.#before === 'operand'
    return false
  }

  #obstacleOfColumn(name: string, dotted: boolean): string | undefined {
    return dotted && CALLED_AS_COLUMN.test(name) ? `it may call ${name}` : undefined
  }
}

function unknownFunction(name: string): string {
  return `it calls ${name}, which is not known to only read`
}

/** Folds only ASCII, like PostgreSQL. */
function wordOf({ text, start, end }: StatementReader): string {
  return text.slice(start, end).replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
