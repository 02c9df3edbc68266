import type * as t from '@babel/types'
import MagicString from 'magic-string'
import type { Module, Node } from '../source/module.ts'

/** An import to add. */
interface Addition {
  readonly name: string
  readonly source: string
  readonly isDefault: boolean
  /** The statement that it replaces or follows; the last import by default. */
  readonly near: Node | undefined
}

/** Edits one source: changes only the named places, and writes imports in the style of the source. */
export class SourceEditor {
  readonly module: Module
  readonly #text: MagicString
  #additions: Addition[] = []
  /** How many uses of a name have been replaced. */
  readonly #replacedUses = new Map<string, number>()
  #edits = 0

  constructor(module: Module) {
    this.module = module
    this.#text = new MagicString(module.text)
  }

  get isChanged(): boolean {
    return this.#edits > 0
  }

  /** A module with `import`, or one with `require`. */
  get isCommonJs(): boolean {
    const { program, nodes } = this.module
    return !program.body.some(isModuleStatement) && nodes.some((node) => isRequire(node))
  }

  replace(node: Node, text: string): void {
    this.#edits++
    this.#text.overwrite(startOf(node), endOf(node), text)
  }

  wrap(node: Node, before: string, after: string): void {
    this.#edits++
    this.#text.appendLeft(startOf(node), before)
    this.#text.prependRight(endOf(node), after)
  }

  insert(at: number, text: string): void {
    this.#edits++
    this.#text.appendLeft(at, text)
  }

  /** The white space before the line of a node. */
  indentOf(node: Node): string {
    const { text } = this.module
    const start = text.lastIndexOf('\n', startOf(node) - 1) + 1
    return /^[ \t]*/.exec(text.slice(start, startOf(node)))?.[0] ?? ''
  }

  get lineEnd(): string {
    return this.module.text.includes('\r\n') ? '\r\n' : '\n'
  }

  /** `;`, or nothing in a source that leaves it out. */
  get semicolon(): string {
    const statement = this.module.program.body.find((each) => each.type !== 'ExpressionStatement' && !isBlock(each))
    return statement && !this.module.textOf(statement).endsWith(';') ? '' : ';'
  }

  quoted(text: string): string {
    const first = this.module.nodes.find((node) => node.type === 'StringLiteral' && startOf(node) >= 0)
    const quote = first && this.module.text[startOf(first)] === '"' ? '"' : "'"
    return `${quote}${text}${quote}`
  }

  /** Whether a name can be imported without hiding another one. */
  canImport(name: string, source: string): boolean {
    const { module } = this
    const isOwn = (node: Node) => {
      const binding = module.bindingOf(name, node)
      return binding !== undefined && !(binding.kind === 'import' && binding.source === source)
    }
    if (isOwn(module.program)) return false
    return !module.nodes.some((node) => node.type === 'Identifier' && node.name === name && isOwn(node))
  }

  import(name: string, source: string, near?: Node, isDefault = false): void {
    this.#edits++
    if (this.#additions.some((each) => each.name === name && each.source === source)) return
    if (this.#isImported(name, source, isDefault)) return
    this.#additions.push({ name, source, isDefault, near })
  }

  /** Call it for each use of an imported name that an edit has replaced: without further uses, the import goes. */
  useReplaced(name: string): void {
    this.#replacedUses.set(name, (this.#replacedUses.get(name) ?? 0) + 1)
  }

  finish(): string {
    const unused = [...this.#replacedUses].filter(([name, count]) => usesOf(this.module, name) <= count)
    for (const [name] of unused) this.#removeDestructuring(name)
    const names = [...this.#replacedUses].filter(([name, count]) => usesOf(this.module, name) <= count)
    const unusedNames = new Set(names.map(([name]) => name))
    const pending = [...this.#additions]
    for (const statement of this.module.program.body) {
      const here = pending.filter(({ near }) => near === statement)
      const rest = this.#dropNames(statement, unusedNames, here)
      for (const addition of [...here].filter((each) => rest.includes(each))) this.#addAfter(statement, addition)
      for (const addition of here) pending.splice(pending.indexOf(addition), 1)
    }
    const last = this.module.program.body.filter(isImportLike).at(-1)
    for (const addition of pending) {
      if (last) this.#addAfter(last, addition)
      else this.#text.appendLeft(this.#start(), this.#statement(addition) + this.lineEnd)
    }
    return this.#text.toString()
  }

  /** `const { Pool } = pg` goes with its last use, and is a use of `pg`. */
  #removeDestructuring(name: string): void {
    const binding = this.module.bindingOf(name, this.module.program)
    if (binding?.kind !== 'variable' || binding.node.type !== 'VariableDeclarator') return
    const { id, init } = binding.node
    const statement = this.module.parentOf(binding.node)
    const isAlone = id.type === 'ObjectPattern' && id.properties.length === 1
    if (!isAlone || init?.type !== 'Identifier' || statement?.type !== 'VariableDeclaration') return
    if (statement.declarations.length > 1) return
    this.#removeLine(statement)
    const origin = this.module.bindingOf(init.name, statement)?.node
    this.#additions = this.#additions.map((each) => (each.near === statement ? { ...each, near: origin } : each))
    this.useReplaced(init.name)
  }

  /** Removes unused names from an import. Returns the additions that still have to be added after it. */
  #dropNames(statement: t.Statement, unused: ReadonlySet<string>, additions: readonly Addition[]): readonly Addition[] {
    const names = importedNames(statement)
    const gone = names.filter(({ local }) => unused.has(local))
    if (gone.length === 0) return additions
    if (gone.length === names.length) {
      const [first, ...rest] = additions
      if (first) this.#text.overwrite(startOf(statement), endOf(statement), this.#statement(first))
      else this.#removeLine(statement)
      return rest
    }
    for (const { node } of gone) this.#removeFromList(node)
    return additions
  }

  #removeFromList(node: Node): void {
    const { text } = this.module
    const after = /^\s*,[ \t]*/.exec(text.slice(endOf(node)))
    if (after) this.#text.remove(startOf(node), endOf(node) + after[0].length)
    else {
      const before = /,\s*$/.exec(text.slice(0, startOf(node)))
      this.#text.remove(startOf(node) - (before?.[0].length ?? 0), endOf(node))
    }
  }

  #removeLine(node: Node): void {
    const { text } = this.module
    const lineEnd = /^[ \t]*\r?\n/.exec(text.slice(endOf(node)))
    this.#text.remove(startOf(node), endOf(node) + (lineEnd?.[0].length ?? 0))
  }

  #addAfter(statement: t.Statement, addition: Addition): void {
    this.#text.appendLeft(endOf(statement), this.lineEnd + this.#statement(addition))
  }

  #statement({ name, source, isDefault }: Addition): string {
    const from = this.quoted(source)
    const names = isDefault ? name : `{ ${name} }`
    const statement = this.isCommonJs ? `const ${names} = require(${from})` : `import ${names} from ${from}`
    return `${statement}${this.semicolon}`
  }

  #isImported(name: string, source: string, isDefault: boolean): boolean {
    const binding = this.module.bindingOf(name, this.module.program)
    return binding?.kind === 'import' && binding.source === source && binding.name === (isDefault ? 'default' : name)
  }

  /** After a shebang and directives. */
  #start(): number {
    const { directives, interpreter } = this.module.program
    const before = directives.at(-1) ?? interpreter
    return before ? endOf(before) + this.lineEnd.length : 0
  }
}

export function startOf(node: Node): number {
  return node.start ?? 0
}

export function endOf(node: Node): number {
  return node.end ?? 0
}

function isModuleStatement(node: t.Statement): boolean {
  return node.type === 'ImportDeclaration' || node.type.startsWith('Export')
}

function isBlock({ type }: t.Statement): boolean {
  return /^(FunctionDeclaration|ClassDeclaration|IfStatement|BlockStatement|ExportNamedDeclaration|TSInterfaceDeclaration)$/.test(
    type,
  )
}

function isRequire(node: Node): boolean {
  return node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'require'
}

function isImportLike(statement: t.Statement): boolean {
  if (statement.type === 'ImportDeclaration') return true
  return statement.type === 'VariableDeclaration' && statement.declarations.some(({ init }) => init && isRequire(init))
}

/** The names that a statement imports, each with the part of the list that declares it. */
function importedNames(statement: t.Statement): { local: string; node: Node }[] {
  if (statement.type === 'ImportDeclaration')
    return statement.specifiers.map((node) => ({ local: node.local.name, node }))
  if (statement.type !== 'VariableDeclaration' || statement.declarations.length !== 1) return []
  const [{ id, init }] = statement.declarations as [t.VariableDeclarator]
  if (!init || !isRequire(init)) return []
  if (id.type === 'Identifier') return [{ local: id.name, node: id }]
  if (id.type !== 'ObjectPattern') return []
  return id.properties.flatMap((node) =>
    node.type === 'ObjectProperty' && node.value.type === 'Identifier' ? [{ local: node.value.name, node }] : [],
  )
}

/** Uses of a name in code and in types, without its declaration in an import. */
function usesOf({ program }: Module, name: string): number {
  let uses = 0
  const open: Node[] = [program]
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.type === 'ImportDeclaration') continue
    if ((node.type === 'Identifier' || node.type === 'JSXIdentifier') && node.name === name) uses++
    for (const [key, value] of Object.entries(node)) {
      if (key === 'loc' || key === 'extra' || isNameOnly(node, key) || isDeclaration(node, key)) continue
      for (const child of [value].flat()) if (isNode(child)) open.push(child)
    }
  }
  return uses
}

/** Keys and members are names, and no uses of a variable. */
function isNameOnly(node: Node, key: string): boolean {
  if (node.type === 'MemberExpression') return key === 'property' && !node.computed
  if (node.type === 'ObjectProperty') return key === 'key' && !node.computed
  return node.type === 'TSQualifiedName' && key === 'right'
}

function isDeclaration(node: Node, key: string): boolean {
  return node.type === 'VariableDeclarator' && key === 'id' && isDestructuredModule(node)
}

function isDestructuredModule({ id, init }: t.VariableDeclarator): boolean {
  return (
    (id.type === 'ObjectPattern' || id.type === 'Identifier') &&
    (init?.type === 'Identifier' || (!!init && isRequire(init)))
  )
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
