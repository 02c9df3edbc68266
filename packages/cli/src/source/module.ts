import type * as t from '@babel/types'
import { parseSource } from './parse-source.ts'

export type Node = t.Node
export type Expression = t.Expression

/** The declaration of a name. */
export type Binding =
  /** A variable; `inits` are its initial value and all values assigned to it. */
  | {
      readonly kind: 'variable'
      readonly inits: Expression[]
      /** The properties that a destructuring takes: `['DB_HOST']` for `const { DB_HOST } = process.env`. */
      readonly path: readonly string[]
      /** The value of a destructuring for when there is no such property. */
      readonly fallback: Expression | undefined
      readonly node: Node
    }
  /** An import or a `require`; `name` is `default`, `*`, or the exported name. */
  | { readonly kind: 'import'; readonly source: string; readonly name: string; readonly node: Node }
  | {
      readonly kind: 'parameter'
      readonly of: t.Function
      readonly index: number
      readonly path: readonly string[]
      readonly fallback: Expression | undefined
      readonly node: Node
    }
  | { readonly kind: 'function'; readonly node: t.FunctionDeclaration }
  | { readonly kind: 'class'; readonly node: t.ClassDeclaration }
  | { readonly kind: 'enum'; readonly node: t.TSEnumDeclaration }

/** One parsed source: its nodes in order, their parents, and its names. */
export class Module {
  readonly file: string
  readonly text: string
  readonly program: t.Program
  readonly skippedLines: readonly number[]
  readonly nodes: readonly Node[]
  /** Exported names, and the expression or declaration behind each; `default` for the default export. */
  readonly exports: Map<string, Node> = new Map()
  readonly #parents = new Map<Node, Node>()
  readonly #scopes = new Map<Node, Map<string, Binding>>()

  constructor(
    file: string,
    text: string,
    options: { readonly maxSkippedLines?: number; readonly timeoutMillis?: number } = {},
  ) {
    const { file: parsed, skippedLines } = parseSource(file, text, options)
    this.file = file
    this.text = text
    this.program = parsed.program
    this.skippedLines = skippedLines
    this.nodes = this.#collect(parsed.program)
    for (const node of this.nodes) this.#declare(node)
    for (const node of this.nodes) this.#collectAssignment(node)
  }

  parentOf(node: Node): Node | undefined {
    return this.#parents.get(node)
  }

  *ancestorsOf(node: Node): Generator<Node> {
    for (let at = this.#parents.get(node); at; at = this.#parents.get(at)) yield at
  }

  lineOf(node: Node): number {
    return node.loc?.start.line ?? 1
  }

  textOf(node: Node): string {
    return this.text.slice(node.start ?? 0, node.end ?? 0)
  }

  /** The declaration that a name refers to at a place. */
  bindingOf(name: string, at: Node): Binding | undefined {
    for (let scope: Node | undefined = at; scope; scope = this.#parents.get(scope)) {
      const found = this.#scopes.get(scope)?.get(name)
      if (found) return found
    }
    return undefined
  }

  /** Without recursion, because sources may nest deeply. */
  #collect(program: t.Program): Node[] {
    const nodes: Node[] = []
    const open: Node[] = [program]
    for (let node = open.pop(); node; node = open.pop()) {
      nodes.push(node)
      const children = childrenOf(node)
      for (const child of children) this.#parents.set(child, node)
      // Not push(...children): a program may have more statements than a call may have arguments.
      for (const child of children.reverse()) open.push(child)
    }
    return nodes
  }

  #declare(node: Node): void {
    switch (node.type) {
      case 'ImportDeclaration':
        for (const each of node.specifiers)
          this.#bind(node, each.local.name, {
            kind: 'import',
            source: node.source.value,
            name: importedName(each),
            node,
          })
        break
      case 'TSImportEqualsDeclaration':
        if (node.moduleReference.type === 'TSExternalModuleReference') {
          const source = (node.moduleReference.expression as t.StringLiteral).value
          this.#bind(node, node.id.name, { kind: 'import', source, name: 'default', node })
        }
        break
      case 'VariableDeclarator':
        this.#bindPattern(node.id, [], (path, fallback) => ({
          kind: 'variable',
          inits: node.init ? [node.init] : [],
          path,
          fallback,
          node,
        }))
        break
      case 'FunctionDeclaration':
        if (node.id) this.#bind(node, node.id.name, { kind: 'function', node })
        break
      case 'ClassDeclaration':
        if (node.id) this.#bind(node, node.id.name, { kind: 'class', node })
        break
      case 'TSEnumDeclaration':
        this.#bind(node, node.id.name, { kind: 'enum', node })
        break
      case 'ExportNamedDeclaration':
        this.#export(node)
        break
      case 'ExportDefaultDeclaration':
        this.exports.set('default', node.declaration)
        break
      default:
    }
    if (!isFunction(node)) return
    for (const [index, parameter] of node.params.entries()) this.#bindParameter(node, parameter, index)
  }

  #bindParameter(of: t.Function, parameter: t.Function['params'][number], index: number): void {
    const inner = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter
    const fallback = inner.type === 'AssignmentPattern' ? inner.right : undefined
    const pattern = inner.type === 'AssignmentPattern' ? inner.left : inner
    this.#bindPattern(
      pattern as t.LVal,
      [],
      (path, own) => ({ kind: 'parameter', of, index, path, fallback: own ?? fallback, node: parameter }),
      of,
    )
  }

  /** Binds the names of a destructuring, each with its path of properties. */
  #bindPattern(
    pattern: t.LVal | t.VoidPattern,
    path: readonly string[],
    make: (path: readonly string[], fallback?: Expression) => Binding,
    scope: Node = pattern,
  ): void {
    if (pattern.type === 'Identifier') this.#bind(scope, pattern.name, make(path))
    else if (pattern.type === 'AssignmentPattern') {
      const fallback = pattern.right
      this.#bindPattern(pattern.left as t.LVal, path, (inner, own) => make(inner, own ?? fallback), scope)
    } else if (pattern.type === 'ObjectPattern') {
      for (const property of pattern.properties) {
        if (property.type === 'RestElement') continue
        const key = keyOf(property)
        if (key !== undefined) this.#bindPattern(property.value as t.LVal, [...path, key], make, scope)
      }
    }
  }

  #bind(at: Node, name: string, binding: Binding): void {
    const scope = isFunction(at) && binding.kind === 'parameter' ? at : this.#scopeAround(at)
    const names = this.#scopes.get(scope) ?? new Map<string, Binding>()
    this.#scopes.set(scope, names)
    if (!names.has(name)) names.set(name, binding)
  }

  #scopeAround(node: Node): Node {
    for (const ancestor of this.ancestorsOf(node)) if (SCOPES.has(ancestor.type)) return ancestor
    return this.program
  }

  #export(node: t.ExportNamedDeclaration): void {
    const { declaration } = node
    if (declaration?.type === 'VariableDeclaration')
      for (const { id, init } of declaration.declarations)
        if (id.type === 'Identifier' && init) this.exports.set(id.name, init)
    if ((declaration?.type === 'FunctionDeclaration' || declaration?.type === 'ClassDeclaration') && declaration.id)
      this.exports.set(declaration.id.name, declaration)
    if (node.source) return
    for (const each of node.specifiers)
      if (each.type === 'ExportSpecifier') this.exports.set(nameOf(each.exported), each.local)
  }

  #collectAssignment(node: Node): void {
    if (node.type !== 'AssignmentExpression') return
    const { left, right } = node
    if (left.type === 'Identifier') {
      const binding = this.bindingOf(left.name, node)
      if (binding?.kind === 'variable' && binding.path.length === 0) binding.inits.push(right)
    }
    // CommonJS: `module.exports = ...`, `exports.pool = ...`.
    if (left.type !== 'MemberExpression') return
    const target = this.textOf(left)
    if (target === 'module.exports') this.exports.set('default', right)
    else if (/^(module\.)?exports\.\w+$/.test(target)) this.exports.set(target.split('.').at(-1) ?? '', right)
  }
}

const SCOPES = new Set<Node['type']>([
  'Program',
  'BlockStatement',
  'StaticBlock',
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'TSModuleBlock',
])

export function isFunction(node: Node): node is t.Function {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression' ||
    node.type === 'ObjectMethod' ||
    node.type === 'ClassMethod' ||
    node.type === 'ClassPrivateMethod'
  )
}

/** The nearest function around a node; undefined at the top level and in the properties of a class. */
export function functionAround(module: Module, node: Node): t.Function | undefined {
  for (const ancestor of module.ancestorsOf(node)) {
    if (isFunction(ancestor)) return ancestor
    // A property of a class is set by its constructor.
    if (ancestor.type === 'ClassProperty') return undefined
  }
  return undefined
}

/** The name of a property that is written in the source; undefined if it is computed. */
export function keyOf(
  property: t.ObjectProperty | t.ObjectMethod | t.ClassProperty | t.ClassMethod,
): string | undefined {
  const { key, computed } = property
  if (key.type === 'StringLiteral') return key.value
  if (key.type === 'NumericLiteral') return String(key.value)
  return key.type === 'Identifier' && !computed ? key.name : undefined
}

function importedName(specifier: t.ImportDeclaration['specifiers'][number]): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  return specifier.type === 'ImportNamespaceSpecifier' ? '*' : nameOf(specifier.imported)
}

function nameOf(name: t.Identifier | t.StringLiteral): string {
  return name.type === 'Identifier' ? name.name : name.value
}

/** Types contain no code. */
const TYPES = new Set([
  'typeAnnotation',
  'typeParameters',
  'typeArguments',
  'returnType',
  'superTypeParameters',
  'implements',
])

function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || key === 'extra' || key === 'errors' || TYPES.has(key)) continue
    if (Array.isArray(value)) {
      for (const each of value) if (isNode(each)) children.push(each)
    } else if (isNode(value)) children.push(value)
  }
  return children
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
