import type { FindingList } from './finding-list.ts'
import { readQuery } from './read-query.ts'
import { depthAfter, skipRoutine } from './skip-statement.ts'
import { finding } from './statement-finding.ts'
import type { StatementReader } from './statement-reader.ts'

const TABLE = finding('temporary-table', 'CREATE TEMPORARY TABLE')
const SEQUENCE = finding('temporary-table', 'CREATE TEMPORARY SEQUENCE')
const VIEW = finding('temporary-table', 'CREATE TEMPORARY VIEW')
const EXECUTE = finding('sql-prepare', 'EXECUTE')

const MODIFIERS = ['or', 'replace', 'local', 'global', 'unlogged', 'recursive']

/**
 * Reads a statement after CREATE. Its expressions (defaults, views, bodies) do not run now and are not checked, except the
 * query of `CREATE TABLE .. AS`.
 */
export function readCreate(reader: StatementReader, findings: FindingList): void {
  let temporary = false
  for (;;) {
    if (reader.takeWord('temporary') || reader.takeWord('temp')) temporary = true
    else if (!MODIFIERS.some((word) => reader.takeWord(word))) break
  }
  if (reader.takeWord('table')) readTable(reader, findings, temporary)
  else if (reader.takeWord('sequence')) {
    if (takeTemporaryName(reader) || temporary) findings.add(SEQUENCE)
  } else if (reader.takeWord('view')) {
    if (takeTemporaryName(reader) || temporary) findings.add(VIEW)
  } else if (reader.isWord('function') || reader.isWord('procedure')) skipRoutine(reader)
}

function readTable(reader: StatementReader, findings: FindingList, declared: boolean): void {
  const temporary = takeTemporaryName(reader) || declared
  let dropped = false
  let depth = 0
  while (reader.kind !== 'end' && !(depth === 0 && (reader.isPunctuation(';') || reader.isWord('as')))) {
    if (depth === 0 && reader.takeWord('on')) {
      if (reader.takeWord('commit') && reader.isWord('drop')) dropped = true
      continue
    }
    depth = depthAfter(reader, depth)
    reader.next()
  }
  const read = reader.kind !== 'end' || !reader.cut
  if (temporary && !dropped && read) findings.add(TABLE)
  if (!reader.takeWord('as')) return
  if (reader.isWord('execute')) findings.add(EXECUTE)
  else readQuery(reader, findings)
}

/** Reads past the name. Returns whether its schema makes it temporary (https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH). */
function takeTemporaryName(reader: StatementReader): boolean {
  if (reader.takeWord('if')) {
    reader.takeWord('not')
    reader.takeWord('exists')
  }
  return reader.takeDottedName().startsWith('pg_temp.')
}
