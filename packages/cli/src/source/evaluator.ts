import type * as t from '@babel/types'
import { type Binding, type Expression, isFunction, keyOf, type Node } from './module.ts'
import { importedPlace, type Place, type SourceGraph } from './source-graph.ts'

/** Longer chains of names are not followed: sources may refer to each other in circles. */
const MAX_STEPS = 40
/** Steps for one question and for all questions about a source: names that refer to others twice need exponential time. */
const MAX_STEPS_OF_QUESTION = 5_000
const MAX_STEPS_OF_SOURCE = 2_000_000

/** A function or class of a package: `Pool` of `pg`; `''` is the package's own default export. */
export interface PackageMember {
  readonly source: string
  /** `Pool`, `MikroORM.init`, `()` for the result of a call of the default export. */
  readonly path: string
}

/** Follows names, members and calls through the sources of an app, without running them. */
export class Evaluator {
  readonly graph: SourceGraph
  #left = MAX_STEPS_OF_QUESTION
  #total = MAX_STEPS_OF_SOURCE

  constructor(graph: SourceGraph) {
    this.graph = graph
  }

  /** Call it before each question, so that a difficult one does not use up the steps of the others. */
  begin(): void {
    this.#left = MAX_STEPS_OF_QUESTION
  }

  /** Counts a step. False if the question, or the source, has used up its steps. */
  spend(): boolean {
    return --this.#left > 0 && --this.#total > 0
  }

  /** The expression behind names, type assertions, members and wrappers such as `defineConfig(...)`. */
  resolve(place: Place, steps: number = MAX_STEPS): Place {
    if (steps <= 0 || !this.spend()) return place
    const { module } = place
    const node = bare(place.node)
    if (node.type === 'Identifier') {
      const next = this.#behind({ module, node }, module.bindingOf(node.name, node))
      return next ? this.resolve(next, steps - 1) : { module, node }
    }
    if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') {
      const value = this.#member({ module, node }, steps)
      return value ? this.resolve(value, steps - 1) : { module, node }
    }
    if (node.type === 'CallExpression') {
      const inner = passedThrough(node) ?? this.#returned({ module, node }, steps)
      return inner ? this.resolve('module' in inner ? inner : { module, node: inner }, steps - 1) : { module, node }
    }
    return { module, node }
  }

  /** The value of an object's property, also from spread objects; the last one wins, as in JavaScript. */
  property(object: Place, name: string, steps: number = MAX_STEPS): Place | undefined {
    if (steps <= 0 || !this.spend()) return undefined
    const { module, node } = this.resolve(object, steps - 1)
    if (node.type === 'ConditionalExpression' || node.type === 'LogicalExpression') {
      const sides = node.type === 'ConditionalExpression' ? [node.consequent, node.alternate] : [node.right, node.left]
      for (const side of sides) {
        const found = this.property({ module, node: side }, name, steps - 1)
        if (found) return found
      }
    }
    if (node.type === 'CallExpression' && /(^|\.)assign$/.test(module.textOf(node.callee))) {
      return this.#lastOf(
        node.arguments.map((each) => ({ module, node: each })),
        name,
        steps,
      )
    }
    if (node.type !== 'ObjectExpression') return undefined
    for (const each of [...node.properties].reverse()) {
      if (each.type === 'SpreadElement') {
        const found = this.property({ module, node: each.argument }, name, steps - 1)
        if (found) return found
      } else if (keyOf(each) === name) {
        return { module, node: each.type === 'ObjectProperty' ? (each.value as Expression) : each }
      }
    }
    return undefined
  }

  /** The value behind a path of properties: `propertyAt(options, 'extra', 'max')`. */
  propertyAt(object: Place, ...path: readonly string[]): Place | undefined {
    return path.reduce<Place | undefined>((at, name) => at && this.property(at, name), object)
  }

  /** The package's member that an expression names: of an import, of `require`, or of a namespace. */
  memberOf(place: Place, steps: number = MAX_STEPS): PackageMember | undefined {
    if (steps <= 0 || !this.spend()) return undefined
    const { module } = place
    const node = bare(place.node)
    switch (node.type) {
      case 'Identifier': {
        const binding = module.bindingOf(node.name, node)
        if (binding?.kind === 'import') {
          const local = importedPlace(this.graph, module, binding)
          const behind = local && this.memberOf(local, steps - 1)
          return behind ?? { source: binding.source, path: join('', binding.name) }
        }
        if (binding?.kind !== 'variable' || binding.inits.length === 0) return undefined
        const base = this.memberOf({ module, node: binding.inits[0] as Expression }, steps - 1)
        return base && { ...base, path: binding.path.reduce(join, base.path) }
      }
      case 'MemberExpression': {
        const name = memberName(node)
        const base = name === undefined ? undefined : this.memberOf({ module, node: node.object }, steps - 1)
        return base && name !== undefined ? { ...base, path: join(base.path, name) } : undefined
      }
      case 'CallExpression':
      case 'NewExpression':
      case 'ImportExpression': {
        const source = loadedSource(node)
        if (source !== undefined) return { source, path: '' }
        if (node.type === 'ImportExpression') return undefined
        const base = this.memberOf({ module, node: node.callee }, steps - 1)
        return base && { ...base, path: `${base.path}()` }
      }
      default:
        return undefined
    }
  }

  #member({ module, node }: Place<t.MemberExpression | t.OptionalMemberExpression>, steps: number): Place | undefined {
    const name = memberName(node)
    const owner = this.resolve({ module, node: node.object }, steps - 1)
    if (name !== undefined) return this.property(owner, name, steps - 1) ?? memberOfClass(owner, node, name)
    // A configuration by environment: config[process.env.NODE_ENV].
    return this.property(owner, 'production', steps - 1)
  }

  #lastOf(objects: readonly Place[], name: string, steps: number): Place | undefined {
    for (const object of [...objects].reverse()) {
      const found = this.property(object, name, steps - 1)
      if (found) return found
    }
    return undefined
  }

  #behind({ module }: Place, binding: Binding | undefined): Place | undefined {
    if (binding?.kind === 'import') return importedPlace(this.graph, module, binding)
    if (binding?.kind !== 'variable') return undefined
    const [init] = binding.inits
    if (init === undefined || binding.inits.length > 1) return undefined
    return binding.path.reduce<Place | undefined>((at, name) => at && this.property(at, name), { module, node: init })
  }

  /** The result of a function of the app that does nothing but return it: `const options = () => ({ max: 20 })`. */
  #returned({ module, node }: Place<t.CallExpression>, steps: number): Place | undefined {
    if (node.callee.type !== 'Identifier') return undefined
    const binding = module.bindingOf(node.callee.name, node)
    const target =
      binding?.kind === 'function'
        ? { module, node: binding.node }
        : binding && this.resolve({ module, node: node.callee }, steps - 1)
    const result = target && isFunction(target.node) ? returnedBy(target.node) : undefined
    return target && result ? { module: target.module, node: result } : undefined
  }
}

/** A property of the class around `this`, a static property, or a member of an enum. */
function memberOfClass({ module, node: owner }: Place, at: Node, name: string): Place | undefined {
  const binding = owner.type === 'Identifier' ? module.bindingOf(owner.name, owner) : undefined
  const inside = owner.type === 'ThisExpression' ? [...module.ancestorsOf(at)] : binding ? [binding.node] : []
  for (const node of inside) {
    if (node.type === 'TSEnumDeclaration') {
      const members = node.body?.members ?? node.members
      const found = members.find(({ id }) => (id.type === 'Identifier' ? id.name : id.value) === name)
      return found?.initializer ? { module, node: found.initializer } : undefined
    }
    if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') continue
    const found = node.body.body.find(
      (each): each is t.ClassProperty => each.type === 'ClassProperty' && keyOf(each) === name,
    )
    return found?.value ? { module, node: found.value } : undefined
  }
  return undefined
}

/** Without what only concerns types and promises. */
export function bare(node: Node): Node {
  let at = node
  for (;;) {
    if (at.type === 'AwaitExpression') at = at.argument
    else if (
      at.type === 'TSAsExpression' ||
      at.type === 'TSSatisfiesExpression' ||
      at.type === 'TSNonNullExpression' ||
      at.type === 'TSTypeAssertion' ||
      at.type === 'ParenthesizedExpression'
    )
      at = at.expression
    else return at
  }
}

/** The name of a member; undefined if it is computed. */
export function memberName(node: t.MemberExpression | t.OptionalMemberExpression): string | undefined {
  if (node.property.type === 'StringLiteral') return node.property.value
  return node.property.type === 'Identifier' && !node.computed ? node.property.name : undefined
}

/** What a function returns at its end, or as an arrow function's expression. */
function returnedBy(node: t.Function): Expression | undefined {
  if (node.body.type !== 'BlockStatement') return node.body
  const last = node.body.body.at(-1)
  return last?.type === 'ReturnStatement' ? (last.argument ?? undefined) : undefined
}

/** The source of `require('pg')` and `import('pg')`. */
function loadedSource(node: t.CallExpression | t.NewExpression | t.ImportExpression): string | undefined {
  const isLoad =
    node.type === 'ImportExpression' ||
    node.callee.type === 'Import' ||
    (node.callee.type === 'Identifier' && node.callee.name === 'require')
  const argument = node.type === 'ImportExpression' ? node.source : node.arguments[0]
  return isLoad && argument?.type === 'StringLiteral' ? argument.value : undefined
}

/** `default` and `*` are the package itself, for CommonJS and ESM to look the same. */
function join(path: string, name: string): string {
  if (path === '' && (name === 'default' || name === '*')) return ''
  return path === '' ? name : `${path}.${name}`
}

/** Functions that return their last object: `defineConfig({...})`, `registerAs('db', () => ({...}))`, `Object.freeze({...})`. */
const PASSES_THROUGH = /^(define\w*|registerAs|Object\.(freeze|seal)|with\w+Config|buildConfig|structuredClone)$/

function passedThrough({ callee, arguments: given }: t.CallExpression): Expression | undefined {
  const name = nameOfCallee(callee)
  const last = given.at(-1)
  if (name === undefined || !PASSES_THROUGH.test(name) || last === undefined) return undefined
  if (isFunction(last)) return returnedBy(last)
  return last.type === 'SpreadElement' || last.type === 'ArgumentPlaceholder' ? undefined : last
}

/** `Object.freeze` for `Object.freeze(...)`. */
export function nameOfCallee(callee: Node): string | undefined {
  if (callee.type === 'Identifier') return callee.name
  if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier') return undefined
  const name = memberName(callee)
  return name === undefined ? undefined : `${callee.object.name}.${name}`
}
