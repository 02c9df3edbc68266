import { describeParameter, kindOfParameter } from './parameter-name.ts'
import { finding, type StatementFinding } from './statement-finding.ts'
import type { StatementReader } from './statement-reader.ts'

/** Reads a statement after SET (https://www.postgresql.org/docs/current/sql-set.html). */
export function readSet(reader: StatementReader): StatementFinding | undefined {
  const first = reader.takeDottedName()
  if (first !== 'session' || isAssigned(reader)) return settingFinding(reader, first)
  if (reader.isWord('characteristics')) return finding('set', 'SET SESSION CHARACTERISTICS')
  if (reader.isWord('authorization')) return finding('set-role', 'SET SESSION AUTHORIZATION')
  return settingFinding(reader, reader.takeDottedName())
}

function settingFinding(reader: StatementReader, name: string): StatementFinding | undefined {
  if (name === '' || reader.isStatementEnd()) return undefined
  // `SET session.user = ..` and `SET local TO ..` set parameters of that name.
  if (isAssigned(reader)) return parameterFinding('SET', name)
  if (name === 'role') return finding('set-role', 'SET ROLE')
  if (name === 'time' && reader.isWord('zone')) return finding('tracked-set', 'SET TIME ZONE')
  if (name === 'names') return finding('tracked-set', 'SET NAMES')
  if (name === 'schema') return finding('set', 'SET SCHEMA')
  if (name === 'xml' && reader.isWord('option')) return finding('set', 'SET XML OPTION')
  // LOCAL, TRANSACTION, CONSTRAINTS
  return undefined
}

/** Reads a statement after RESET (https://www.postgresql.org/docs/current/sql-reset.html). */
export function readReset(reader: StatementReader): StatementFinding | undefined {
  const first = reader.takeDottedName()
  if (first === 'all') return finding('set', 'RESET ALL')
  if (first === 'role') return finding('set-role', 'RESET ROLE')
  if (first === 'session' && reader.isWord('authorization')) return finding('set-role', 'RESET SESSION AUTHORIZATION')
  if (first === 'time' && reader.isWord('zone')) return finding('tracked-set', 'RESET TIME ZONE')
  if (first === '' || first === 'transaction' || (reader.kind === 'end' && reader.cut)) return undefined
  return parameterFinding('RESET', first)
}

/**
 * Whether the name before is a parameter's: `SET session.user = ..` and `SET local TO ..` set parameters of that name. FROM CURRENT keeps
 * the value of a SET LOCAL for the session.
 */
export function isAssigned(reader: StatementReader): boolean {
  return (
    reader.isWord('to') ||
    reader.isWord('from') ||
    (reader.kind === 'operator' && reader.text.startsWith('=', reader.start))
  )
}

function parameterFinding(command: 'SET' | 'RESET', name: string): StatementFinding | undefined {
  const kind = kindOfParameter(name)
  return kind === 'transaction' ? undefined : finding(kind, describeParameter(command, name))
}
