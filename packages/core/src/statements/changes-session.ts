import { isAssigned } from './read-set.ts'
import { skipStatement } from './skip-statement.ts'
import { StatementReader } from './statement-reader.ts'

/** How long a text changes the meaning of other statements: not at all, to the end of the transaction, or for the session. */
export type SessionChange = 'none' | 'transaction' | 'session'

/** Upper and lower case spelled out, which takes half the time of the flag `i`. */
const SET_CONFIG = /[sS][eE][tT]_[cC][oO][nN][fF][iI][gG]"?\s*\(/

/** Settings that affect neither the meaning of a statement nor the parsing of a value. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['application_name', 'client_min_messages', 'deadlock_timeout', 'idle_in_transaction_session_timeout'],
  ...['idle_session_timeout', 'lock_timeout', 'maintenance_work_mem', 'statement_timeout', 'synchronous_commit'],
  ...['transaction_timeout', 'transaction_deferrable', 'transaction_isolation', 'transaction_read_only', 'work_mem'],
])

export function mayCallSetConfig(text: string): boolean {
  return SET_CONFIG.test(text)
}

/** The effect of SET, RESET and set_config in a text. Changes inside functions and DO blocks are not visible. */
export function changesSession(text: string): SessionChange {
  // The setting and its scope may be query parameters.
  if (mayCallSetConfig(text)) return 'session'
  const reader = new StatementReader(text, false)
  let change: SessionChange = 'none'
  for (reader.next(); reader.kind !== 'end'; ) {
    if (reader.takePunctuation(';')) continue
    const found = reader.takeWord('set') ? readSet(reader) : reader.takeWord('reset') ? readReset(reader) : 'none'
    if (found === 'session') return found
    if (found === 'transaction') change = found
    skipStatement(reader)
  }
  return change
}

function readSet(reader: StatementReader): SessionChange {
  const first = reader.takeDottedName()
  const name = (first === 'local' || first === 'session') && !isAssigned(reader) ? reader.takeDottedName() : first
  const local = first === 'local' && name !== first
  if (name === 'characteristics' || name === 'transaction' || name === 'constraints' || HARMLESS.has(name))
    return 'none'
  return local ? 'transaction' : 'session'
}

function readReset(reader: StatementReader): SessionChange {
  const name = reader.takeDottedName()
  return name === 'transaction' || HARMLESS.has(name) ? 'none' : 'session'
}
