import { parse } from 'libpg-query'

type Node = { readonly [key: string]: unknown }

/**
 * The functions, operators, types and tables of a SQL text that PostgreSQL looks up through `search_path`, where another
 * role may have put objects of its own in front. Undefined if PostgreSQL cannot parse the text.
 */
export async function unqualifiedNames(sql: string): Promise<readonly string[] | undefined> {
  const tree = await parse(sql).catch(() => undefined)
  if (!tree) return undefined
  const found: string[] = []
  visit(tree as unknown as Node, new Set(namesOfCommonTableExpressions(tree)), found)
  return found
}

function visit(value: unknown, ownTables: ReadonlySet<string>, found: string[]): void {
  if (Array.isArray(value)) for (const each of value) visit(each, ownTables, found)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  for (const [kind, node] of Object.entries(value as Node)) {
    found.push(...unqualifiedIn(kind, node as Node, ownTables))
    visit(node, ownTables, found)
  }
}

function unqualifiedIn(kind: string, node: Node, ownTables: ReadonlySet<string>): string[] {
  switch (kind) {
    case 'FuncCall':
      return unqualified('function', node.funcname)
    // BETWEEN and its kind cannot be written with a schema at all.
    case 'A_Expr':
      return unqualified('operator', node.name)
    case 'SubLink':
      if (node.subLinkType === 'ANY_SUBLINK' && !node.operName) return ['operator = of IN']
      return node.operName ? unqualified('operator', node.operName) : []
    case 'typeName':
    case 'TypeName':
      return unqualified('type', node.names)
    case 'RangeVar':
      return node.schemaname || ownTables.has(String(node.relname)) ? [] : [`table ${node.relname}`]
    case 'JoinExpr':
      return node.usingClause || node.isNatural ? ['operator = of USING'] : []
    case 'CaseExpr':
      return node.arg ? ['operator = of CASE'] : []
    default:
      return []
  }
}

function unqualified(what: string, names: unknown): string[] {
  const parts = (names as { readonly String: { readonly sval: string } }[] | undefined) ?? []
  return parts.length === 1 ? [`${what} ${parts[0]?.String.sval}`] : []
}

function namesOfCommonTableExpressions(tree: unknown): string[] {
  const names: string[] = []
  JSON.stringify(tree, (key, value) => {
    if (key === 'CommonTableExpr') names.push(value.ctename)
    return value
  })
  return names
}
