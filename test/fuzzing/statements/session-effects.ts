import type { SessionChange } from '../../../packages/core/src/statements/index.ts'
import { calledName, findNodes, type Node, type ParsedStatement, statementOf } from './parser.ts'

const HOLD_OPTION = 0x20

/** The constructs of statements that depend on the session, by the codes of findings; `setting` stands for the three codes of SET. */
export function findingsInTree(statements: readonly ParsedStatement[]): ReadonlySet<string> {
  return new Set(statements.flatMap(findingsOf))
}

/** Commands whose type is enough. */
const COMMANDS: Readonly<Record<string, string>> = {
  ListenStmt: 'listen',
  UnlistenStmt: 'listen',
  PrepareStmt: 'sql-prepare',
  ExecuteStmt: 'sql-prepare',
  DeallocateStmt: 'sql-prepare',
  DiscardStmt: 'discard',
  LoadStmt: 'load',
}

function findingsOf({ type, node }: ParsedStatement): readonly string[] {
  const command = COMMANDS[type]
  if (command !== undefined) return [command]
  switch (type) {
    case 'VariableSetStmt':
      return changesSetting(node) ? ['setting'] : []
    case 'ExplainStmt':
      return explained(node)
    case 'CreateStmt':
      return isTemporary(node.relation) && node.oncommit !== 'ONCOMMIT_DROP' ? ['temporary-table'] : []
    case 'CreateTableAsStmt':
      return createdFromQuery(node)
    case 'ViewStmt':
      return isTemporary(node.view) ? ['temporary-table'] : []
    case 'CreateSeqStmt':
      return isTemporary(node.sequence) ? ['temporary-table'] : []
    case 'DeclareCursorStmt':
      return [...((node.options as number) & HOLD_OPTION ? ['with-hold'] : []), ...callsIn(node)]
    case 'SelectStmt':
      return [...callsIn(node), ...intoTemporary(node)]
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
    case 'CopyStmt':
    case 'CallStmt':
      return callsIn(node)
    default:
      return []
  }
}

/** SET without LOCAL, and RESET, of anything but the transaction's own settings. There is no setting `transaction`. */
function changesSetting({ is_local: isLocal, kind, name }: Node): boolean {
  if (isLocal === true || (kind === 'VAR_SET_MULTI' && name !== 'SESSION CHARACTERISTICS')) return false
  return !/^transaction_(?:isolation|read_only|deferrable)$|^transaction$/i.test(String(name))
}

/** Without ANALYZE the query does not run, but EXECUTE still needs its prepared statement. */
function explained(node: Node): readonly string[] {
  const inner = statementOf(node.query)
  const options = (node.options ?? []) as readonly { readonly DefElem: { readonly defname: string } }[]
  const runs = options.some(({ DefElem }) => DefElem.defname === 'analyze')
  return runs || inner.type === 'ExecuteStmt' ? findingsOf(inner) : []
}

function createdFromQuery(node: Node): readonly string[] {
  if (node.objtype !== 'OBJECT_TABLE') return []
  const into = node.into as Node
  const created = isTemporary(into.rel) && into.onCommit !== 'ONCOMMIT_DROP' ? ['temporary-table'] : []
  return [...created, ...findingsOf(statementOf(node.query))]
}

function intoTemporary(node: Node): readonly string[] {
  const into = intoClauseOf(node)
  return into && isTemporary(into.rel) ? ['temporary-table'] : []
}

/** INTO of a query, or of the first part of its UNION, INTERSECT or EXCEPT. */
function intoClauseOf({ intoClause, larg }: Node): Node | undefined {
  return larg ? intoClauseOf(larg as Node) : (intoClause as Node | undefined)
}

/** Whether PostgreSQL's parser accepts a statement, and its analysis rejects it. */
export function isRejectedLater(statement: ParsedStatement): boolean {
  return hasMisplacedInto(statement) || [...findNodes(statement.node, ['typeName'])].some(([, type]) => isNoType(type))
}

/** In `f(a) 'b'` the name is one of a type, and only constants may be in the parentheses. */
function isNoType({ names, typmods }: Node): boolean {
  return typmods !== undefined && (/_/.test(JSON.stringify(names)) || /FuncCall/.test(JSON.stringify(typmods)))
}

/** INTO in a subquery, for example. */
function hasMisplacedInto({ type, node }: ParsedStatement): boolean {
  if (type === 'ExplainStmt') return hasMisplacedInto(statementOf(node.query))
  const count = [...findNodes(node, ['intoClause'])].length
  return count > (type === 'SelectStmt' && intoClauseOf(node) ? 1 : 0)
}

function isTemporary(relation: unknown): boolean {
  const { relpersistence, schemaname } = relation as Node
  return relpersistence === 't' || schemaname === 'pg_temp'
}

function callsIn(node: Node): readonly string[] {
  return [...findNodes(node, ['FuncCall'])].flatMap(([, call]) => {
    const names = calledName(call)
    if (names.length > 2 || (names.length === 2 && names[0] !== 'pg_catalog')) return []
    const name = names.at(-1) ?? ''
    if (/^pg_(?:(?:try_)?advisory_lock(?:_shared)?|advisory_unlock(?:_shared|_all)?)$/.test(name))
      return ['advisory-lock']
    return name === 'set_config' && isLiteralFalse((call.args as readonly unknown[] | undefined)?.[2])
      ? ['setting']
      : []
  })
}

/** `false`, `'f'`, or one of them with a cast to boolean. */
function isLiteralFalse(argument: unknown): boolean {
  const { A_Const: constant, TypeCast: cast } = (argument ?? {}) as {
    readonly A_Const?: { readonly boolval?: { readonly boolval?: boolean }; readonly sval?: { readonly sval?: string } }
    readonly TypeCast?: { readonly arg?: unknown; readonly typeName?: Node }
  }
  if (cast) return isLiteralFalse(cast.arg) && JSON.stringify(cast.typeName?.names).includes('"bool"')
  if (constant?.boolval) return constant.boolval.boolval !== true
  return /^(?:f|false|off|no|n|0)$/i.test(constant?.sval?.sval ?? '')
}

/** Whether statements leave a transaction open. AND CHAIN without a transaction is an error. */
export function leavesTransactionOpen(statements: readonly ParsedStatement[]): boolean {
  let open = false
  for (const { type, node } of statements) {
    if (type !== 'TransactionStmt') continue
    if (node.kind === 'TRANS_STMT_BEGIN' || node.kind === 'TRANS_STMT_START') open = true
    else if (node.kind === 'TRANS_STMT_COMMIT' || node.kind === 'TRANS_STMT_ROLLBACK') open &&= node.chain === true
    else if (node.kind === 'TRANS_STMT_PREPARE') open = false
  }
  return open
}

/** Settings of the generated texts that change neither the meaning of a statement nor the parsing of a value. */
const HARMLESS =
  /^(?:application_name|lock_timeout|statement_timeout|work_mem|transaction|transaction_(?:isolation|read_only|deferrable)|session characteristics)$/i

/** How long SET and RESET change the meaning of later statements. */
export function settingsInTree(statements: readonly ParsedStatement[]): SessionChange {
  const changes = statements.filter(({ type, node }) => {
    const isConstraints = node.kind === 'VAR_SET_MULTI'
    return type === 'VariableSetStmt' && !isConstraints && !HARMLESS.test(String(node.name))
  })
  if (changes.some(({ node }) => node.is_local !== true)) return 'session'
  return changes.length > 0 ? 'transaction' : 'none'
}
