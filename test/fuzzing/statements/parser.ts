import { loadModule, parseSync, scanSync } from 'libpg-query'

/** A node of PostgreSQL's parse tree, by its fields (https://github.com/pganalyze/libpg_query/blob/18-latest/protobuf/pg_query.proto). */
export type Node = Readonly<Record<string, unknown>>

/** A statement, such as `VariableSetStmt`, and its fields. */
export interface ParsedStatement {
  readonly type: string
  readonly node: Node
}

/** Loads PostgreSQL 18's own parser, as WebAssembly. Call it before the other functions. */
export const loadParser: () => Promise<void> = loadModule

/** The statements of a text; undefined if PostgreSQL rejects it. */
export function parseStatements(text: string): readonly ParsedStatement[] | undefined {
  let statements: readonly { readonly stmt?: unknown }[]
  try {
    statements = parseSync(text).stmts ?? []
  } catch {
    return undefined
  }
  return statements.map(({ stmt }) => statementOf(stmt))
}

/** A statement that is a field of another one, as in EXPLAIN. */
export function statementOf(field: unknown): ParsedStatement {
  const [[type, node] = ['', {}]] = Object.entries(field as Node)
  return { type, node: node as Node }
}

/** A token of PostgreSQL's lexer. Blanks are not tokens. */
export interface LexedToken {
  readonly kind: string
  readonly text: string
}

/** The tokens of a text; undefined if the lexer rejects it. */
export function lexTokens(text: string): readonly LexedToken[] | undefined {
  try {
    return scanSync(text).tokens.map((token) => ({ kind: token.tokenName, text: token.text }))
  } catch {
    return undefined
  }
}

/** All nodes of a type within a node, with the fields of each. */
export function* findNodes(node: unknown, types: readonly string[]): Generator<readonly [type: string, node: Node]> {
  if (typeof node !== 'object' || node === null) return
  for (const [name, child] of Object.entries(node)) {
    if (types.includes(name)) yield [name, child as Node]
    yield* findNodes(child, types)
  }
}

/** The name of a called function, with its schema if it is written. */
export function calledName(call: Node): readonly string[] {
  const names = call.funcname as readonly { readonly String: { readonly sval?: string } }[]
  return names.map(({ String: { sval = '' } }) => sval)
}
