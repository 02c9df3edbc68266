/** What a text is to the pool, as far as its beginning tells. */
export type StatementKind =
  /** It may well be a read: a reader tries it, and refuses before anything is done if it is not. */
  | 'read'
  | 'write'
  /** Changes or shows how a connection behaves. */
  | 'pragma'
  /** Begins or ends a transaction. */
  | 'transaction'
  /** Goes back to, or forgets, a point within one. */
  | 'savepoint'
  /** Adds another file to a connection. */
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

/** Functions that tell what the connection has written, of which a reader knows nothing. */
const OF_THE_WRITER = /\b(?:last_insert_rowid|changes|total_changes)\s*\(/i

/** The word that a statement begins with. The rest of it is its author's: it may hold a secret. */
export function firstWord(sql: string): string {
  return BEGINNING.exec(sql)?.[1]?.toUpperCase() ?? ''
}

export function sortStatement(sql: string): StatementKind {
  const [, word = '', to] = BEGINNING.exec(sql) ?? []
  const kind = KINDS[word.toLowerCase()] ?? 'write'
  if (kind === 'transaction' && to !== undefined) return 'savepoint'
  return kind === 'read' && OF_THE_WRITER.test(sql) ? 'write' : kind
}
