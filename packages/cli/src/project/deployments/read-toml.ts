import { type AST, getStaticTOMLValue, parseTOML } from 'toml-eslint-parser'
import { FileValue, ValueBudget } from './file-value.ts'

/** A table under construction: tables of one name can be in several parts of the file. */
interface Table {
  readonly line: number
  readonly entries: Map<string, Table | Table[] | AST.TOMLContentNode>
}

/**
 * The values of a TOML file.
 *
 * @throws if the text is not TOML.
 */
export function readToml(text: string, file: string): FileValue {
  const root: Table = { line: 1, entries: new Map() }
  const [top] = parseTOML(text).body
  for (const node of top.body) {
    if (node.type === 'TOMLKeyValue') set(root, node)
    else {
      const table = enter(root, node)
      for (const pair of node.body) set(table, pair)
    }
  }
  return readPart(root, file, new ValueBudget(), 0)
}

/** Follows a table's header from the root. `[[services]]` begins a new item. */
function enter(root: Table, { kind, resolvedKey, loc }: AST.TOMLTable): Table {
  const keys = resolvedKey.filter((key) => typeof key === 'string')
  const { line } = loc.start
  return keys.reduce((table, key, index) => {
    const isLast = index === keys.length - 1
    return descend(table, key, line, kind === 'array' && isLast)
  }, root)
}

function descend(table: Table, key: string, line: number, beginsItem = false): Table {
  const existing = table.entries.get(key)
  const created: Table = { line, entries: new Map() }
  if (beginsItem) {
    const items = Array.isArray(existing) ? existing : []
    items.push(created)
    table.entries.set(key, items)
    return created
  }
  if (Array.isArray(existing)) return existing.at(-1) ?? created
  if (existing !== undefined && 'entries' in existing) return existing
  table.entries.set(key, created)
  return created
}

/** `a.b = 1` sets a key of the table `a`. */
function set(table: Table, { key, value, loc }: AST.TOMLKeyValue): void {
  const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value))
  const last = names.pop() ?? ''
  const parent = names.reduce((inner, name) => descend(inner, name, loc.start.line), table)
  parent.entries.set(last, value)
}

function readPart(
  part: Table | Table[] | AST.TOMLContentNode,
  file: string,
  budget: ValueBudget,
  depth: number,
): FileValue {
  budget.count(depth)
  const inner = (each: Parameters<typeof readPart>[0]) => readPart(each, file, budget, depth + 1)
  if (Array.isArray(part)) {
    return new FileValue({ file, line: part[0]?.line ?? 1 }, { kind: 'list', items: part.map(inner) })
  }
  if ('entries' in part) {
    return new FileValue(
      { file, line: part.line },
      { kind: 'map', entries: [...part.entries].map(([key, value]) => [key, inner(value)] as const) },
    )
  }
  const place = { file, line: part.loc.start.line }
  if (part.type === 'TOMLArray') return new FileValue(place, { kind: 'list', items: part.elements.map(inner) })
  if (part.type === 'TOMLInlineTable') {
    const table: Table = { line: place.line, entries: new Map() }
    for (const pair of part.body) set(table, pair)
    return inner(table)
  }
  return new FileValue(place, { kind: 'scalar', value: getStaticTOMLValue(part) })
}
