import type { ShareMode } from '../../../packages/core/src/statements/index.ts'
import { calledName, findNodes, type ParsedStatement } from './parser.ts'

const QUERIES: readonly string[] = ['SelectStmt']
const WRITES: readonly string[] = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']
const INTO: readonly string[] = ['IntoClause', 'intoClause']
const LOCKS: readonly string[] = ['LockingClause', 'lockingClause']

/** Functions that the generated texts may call in a read. */
const READING = ['lower', 'count', 'coalesce', 'now', 'sum', 'row_number', 'jsonb_agg', 'array_agg']
/** The parser turns syntax, such as EXTRACT, into calls of functions in pg_catalog. */
// biome-ignore format: a table
const SYNTAX = [
  'extract', 'substring', 'overlay', 'position', 'btrim', 'timezone', 'like_escape', 'similar_to_escape', 'normalize', 'is_normalized',
  'pg_collation_for', 'date_part', 'xmlexists', 'overlaps',
]
/** Functions of the generated texts that lock, block, or depend on the session. */
const OF_SESSION = /^(?:(?:set_config|setseed|currval|lastval)$|pg_(?:try_)?advisory|pg_sleep|lo_)/

/** Why statements may not share a connection, according to the parse tree; undefined if they may. */
export function obstacleInTree(statements: readonly ParsedStatement[], mode: ShareMode): string | undefined {
  const [statement] = statements
  if (!statement || statements.length !== 1) return `${statements.length} statements`
  const { type, node } = statement
  if (!QUERIES.includes(type) && !(mode === 'all' && WRITES.includes(type))) return type
  const forbidden = mode === 'reads' ? [...WRITES, ...INTO, ...LOCKS] : INTO
  for (const [found] of findNodes(node, forbidden)) return found
  for (const [, call] of findNodes(node, ['FuncCall'])) {
    const names = calledName(call)
    if (mode === 'reads' ? !isReading(names) : OF_SESSION.test(names.at(-1) ?? '')) return `calls ${names.join('.')}`
  }
  return undefined
}

function isReading(names: readonly string[]): boolean {
  const [first = '', second] = names
  if (second === undefined) return READING.includes(first)
  return names.length === 2 && first === 'pg_catalog' && [...READING, ...SYNTAX].includes(second)
}
