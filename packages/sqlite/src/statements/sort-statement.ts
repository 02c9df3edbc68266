/** The kind of a statement, derived from its first word. */
export type StatementKind =
  /** Probably a read: a reader tries it, and rejects a write before it changes anything. */
  | 'read'
  | 'write'
  /** Reads or changes a setting of the connection. */
  | 'pragma'
  /** Begins or ends a transaction. */
  | 'transaction'
  /** Sets, releases or rolls back to a savepoint. */
  | 'savepoint'
  /** Attaches or detaches another file. */
  | 'attach'

const BEGINNING = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*([a-z]+)(?:\s+(?:transaction\s+)?(to)\b)?/i

const KINDS: Readonly<Record<string, StatementKind>> = {
  select: 'read',
  values: 'read',
  with: 'read',
  explain: 'read',
  pragma: 'pragma',
  begin: 'transaction',
  commit: 'transaction',
  end: 'transaction',
  rollback: 'transaction',
  savepoint: 'savepoint',
  release: 'savepoint',
  attach: 'attach',
  detach: 'attach',
}

/** Functions about the connection's own writes, which a reader cannot answer. */
const WRITER_FUNCTIONS = /\b(?:last_insert_rowid|changes|total_changes)\s*\(/i

/** The first word of a statement, for messages: the rest may contain a secret. */
export function firstWord(sql: string): string {
  return BEGINNING.exec(sql)?.[1]?.toUpperCase() ?? ''
}

export function sortStatement(sql: string): StatementKind {
  const [, word = '', to] = BEGINNING.exec(sql) ?? []
  const kind = KINDS[word.toLowerCase()] ?? 'write'
  if (kind === 'transaction' && to !== undefined) return 'savepoint'
  return kind === 'read' && WRITER_FUNCTIONS.test(sql) ? 'write' : kind
}
