import { skipStatement } from './skip-statement.ts'
import { StatementReader } from './statement-reader.ts'

/** Longer texts are generated, and contain no transaction. */
const MAX_TEXT = 10_000

/** Texts that may begin a transaction, by their first letters, or after a comment. */
const MAY_BEGIN = /^\s*(?:b|st|--|\/\*)/i

/** Whether a text leaves a transaction open: `BEGIN`, but not `BEGIN; ...; COMMIT`. */
export function opensTransaction(text: string): boolean {
  // With a semicolon, BEGIN may be a later statement.
  if ((!MAY_BEGIN.test(text) && !text.includes(';')) || text.length > MAX_TEXT) return false
  const reader = new StatementReader(text, false)
  let open = false
  for (reader.next(); reader.kind !== 'end'; ) {
    if (reader.takePunctuation(';')) continue
    if (reader.takeWord('begin') || takeStartTransaction(reader)) open = true
    else if (isEnd(reader)) open = takeChain(reader) && open
    skipStatement(reader)
  }
  return open
}

function takeStartTransaction(reader: StatementReader): boolean {
  return reader.takeWord('start') && reader.isWord('transaction')
}

const ENDS = ['commit', 'rollback', 'end', 'abort']

/** `ROLLBACK TO` goes back to a savepoint; `COMMIT PREPARED` ends another transaction; `PREPARE TRANSACTION 'id'` ends this one. */
function isEnd(reader: StatementReader): boolean {
  if (reader.takeWord('prepare')) return reader.takeWord('transaction') && reader.kind === 'string'
  if (!ENDS.some((word) => reader.takeWord(word))) return false
  if (!reader.takeWord('work')) reader.takeWord('transaction')
  return !reader.isWord('to') && !reader.isWord('prepared')
}

/** `COMMIT AND CHAIN` begins the next transaction immediately, and is an error without a transaction. */
function takeChain(reader: StatementReader): boolean {
  return reader.takeWord('and') && reader.isWord('chain')
}
