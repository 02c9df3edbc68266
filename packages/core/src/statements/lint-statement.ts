import { FindingList, NO_FINDINGS } from './finding-list.ts'
import { isPlainQuery } from './plain-query.ts'
import { readCreate } from './read-create.ts'
import { readQuery } from './read-query.ts'
import { readReset, readSet } from './read-set.ts'
import { depthAfter, skipStatement } from './skip-statement.ts'
import { finding, type StatementFinding } from './statement-finding.ts'
import { StatementReader } from './statement-reader.ts'

/** Statements that run a query, and with it the functions it calls. Frequent ones first. */
const QUERIES = ['select', 'insert', 'update', 'delete', 'with', 'merge', 'values', 'table', 'copy', 'call']

/** Commands whose first word is enough for a finding. */
const COMMANDS: readonly (readonly [word: string, finding: StatementFinding])[] = [
  ['listen', finding('listen', 'LISTEN')],
  ['unlisten', finding('listen', 'UNLISTEN')],
  ['execute', finding('sql-prepare', 'EXECUTE')],
  ['deallocate', finding('sql-prepare', 'DEALLOCATE')],
  ['discard', finding('discard', 'DISCARD')],
  ['load', finding('load', 'LOAD')],
]
const PREPARE = finding('sql-prepare', 'PREPARE')
const WITH_HOLD = finding('with-hold', 'DECLARE CURSOR WITH HOLD')

/**
 * Finds constructs in a SQL text that depend on the session, which a pooler in transaction or statement mode does not keep: the rows of
 * https://www.pgbouncer.org/features.html, "SQL feature map for pooling modes", that say "Never" for transaction pooling.
 * Each construct is reported once per text.
 *
 * Not checked: the bodies of functions and DO blocks, and whether the statement is inside a transaction. If the text is longer
 * than `characters`, only its beginning is read; this may miss findings but adds none.
 *
 * @example
 * lintStatement('BEGIN; SET search_path = app; COMMIT')
 * // [{ code: 'set', construct: 'SET search_path', why: 'The setting stays on ...', instead: 'SET LOCAL ...' }]
 */
export function lintStatement(
  text: string,
  characters: number = Number.POSITIVE_INFINITY,
): readonly StatementFinding[] {
  const read = text.length > characters ? text.slice(0, characters) : text
  if (isPlainQuery(read)) return NO_FINDINGS
  const reader = new StatementReader(read, read !== text)
  const findings = new FindingList()
  reader.next()
  while (reader.kind !== 'end') {
    if (reader.takePunctuation(';')) continue
    readStatement(reader, findings)
    skipStatement(reader)
  }
  return findings.toArray()
}

function readStatement(reader: StatementReader, findings: FindingList): void {
  if (QUERIES.some((word) => reader.isWord(word)) || reader.isPunctuation('(')) readQuery(reader, findings)
  else if (reader.takeWord('set')) findings.add(readSet(reader))
  else if (reader.takeWord('reset')) findings.add(readReset(reader))
  else if (reader.takeWord('create')) readCreate(reader, findings)
  else if (reader.takeWord('declare')) readDeclare(reader, findings)
  else if (reader.takeWord('explain')) readExplain(reader, findings)
  else if (reader.takeWord('prepare')) findings.add(readPrepare(reader))
  else findings.add(COMMANDS.find(([word]) => reader.isWord(word))?.[1])
}

/** Except `PREPARE TRANSACTION 'id'`, which is two-phase commit. */
function readPrepare(reader: StatementReader): StatementFinding | undefined {
  const twoPhase = reader.takeWord('transaction') && reader.kind === 'string'
  return twoPhase || reader.isStatementEnd() ? undefined : PREPARE
}

function readDeclare(reader: StatementReader, findings: FindingList): void {
  // The cursor's name, which may be any word, even `cursor`.
  reader.next()
  while (reader.kind === 'word' && !reader.isWord('cursor')) reader.next()
  if (!reader.takeWord('cursor')) return
  if (reader.takeWord('with') && reader.isWord('hold')) findings.add(WITH_HOLD)
  readQuery(reader, findings)
}

/** Without ANALYZE the query does not run, but EXECUTE still needs its prepared statement. */
function readExplain(reader: StatementReader, findings: FindingList): void {
  let analyze = false
  if (reader.isPunctuation('(')) analyze = takeExplainOptions(reader)
  else {
    while (reader.isWord('analyze') || reader.isWord('verbose')) {
      analyze ||= reader.isWord('analyze')
      reader.next()
    }
  }
  // EXPLAIN EXPLAIN is not valid SQL; a long repetition of it must not exhaust the stack.
  const runs = analyze && !reader.isWord('explain')
  if (runs || reader.isWord('execute')) readStatement(reader, findings)
}

/** Reads past `(ANALYZE, BUFFERS)`. Returns whether it contains ANALYZE. */
function takeExplainOptions(reader: StatementReader): boolean {
  let analyze = false
  for (let depth = 0; reader.kind !== 'end'; ) {
    analyze ||= reader.isWord('analyze')
    depth = depthAfter(reader, depth)
    reader.next()
    if (depth === 0) break
  }
  return analyze
}
