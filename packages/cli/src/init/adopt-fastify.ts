import type * as t from '@babel/types'
import { t as text } from '../output/translate.ts'
import { bare, type Evaluator, memberName } from '../source/evaluator.ts'
import { isFunction, type Module, type Node } from '../source/module.ts'
import type { Place } from '../source/source-graph.ts'
import type { Adopter, Adoption } from './adoption.ts'
import { endOf, startOf } from './source-editor.ts'

/** Fastify: the plugin is registered first, so that it closes last; @fastify/postgres gets guarded pools. */
export const adoptFastify: Adopter = (adoption) => {
  const { module, editor, need } = adoption
  const isRegistered = /@poolguard\/fastify/.test(module.text)
  const place = isRegistered ? undefined : placeOfFirstPlugin(adoption)
  if (place && editor.canImport('poolguard', '@poolguard/fastify')) {
    const { owner, at, indent } = place
    const register = `${place.prefix}${owner}.register(poolguard)${editor.semicolon}`
    editor.insert(
      at,
      place.isBefore ? `${register}${editor.lineEnd}${indent}` : `${editor.lineEnd}${indent}${register}`,
    )
    editor.import('poolguard', '@poolguard/fastify', undefined, true)
    need('@poolguard/fastify')
  }
  for (const node of module.nodes) adoptPostgresPlugin(adoption, node, place !== undefined)
}

interface PluginPlace {
  /** The name of the app. */
  readonly owner: string
  readonly at: number
  readonly indent: string
  /** Before the statement at the place; otherwise after it. */
  readonly isBefore: boolean
  /** `void `, where the source marks promises that nothing awaits. */
  readonly prefix: string
}

/** The name of the variable that a source makes an instance of Fastify for. */
function instanceAt(evaluator: Evaluator, { module, node }: Place): string | undefined {
  if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier' || !node.init) return undefined
  const created = bare(node.init)
  const member = created.type === 'CallExpression' ? evaluator.memberOf({ module, node: created.callee }) : undefined
  return member?.source === 'fastify' && /^(fastify|Fastify)?$/.test(member.path) ? node.id.name : undefined
}

/** Whether a source makes an instance of Fastify. */
export function makesFastify(evaluator: Evaluator, module: Module): boolean {
  return module.nodes.some((node) => {
    evaluator.begin()
    return instanceAt(evaluator, { module, node }) !== undefined
  })
}

/** After `const app = Fastify()`; in a project of Fastify's generator, before the plugins are loaded. */
function placeOfFirstPlugin({ module, evaluator, editor, makesFastify }: Adoption): PluginPlace | undefined {
  for (const node of module.nodes) {
    evaluator.begin()
    const owner = instanceAt(evaluator, { module, node })
    const declaration = module.parentOf(node)
    if (owner && declaration) {
      const at = endOf(declaration)
      return { owner, at, indent: editor.indentOf(declaration), isBefore: false, prefix: '' }
    }
    // The instance gets the plugin where it is made.
    if (makesFastify) continue
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') continue
    const [plugin] = node.arguments
    const member = plugin && evaluator.memberOf({ module, node: plugin })
    const parent = bare(node.callee.object)
    const isAutoLoad = memberName(node.callee) === 'register' && member?.source === '@fastify/autoload'
    if (!isAutoLoad || parent.type !== 'Identifier') continue
    const statement = statementAround(module, node)
    if (!statement) continue
    const prefix = module.textOf(statement).startsWith('void ') ? 'void ' : ''
    const first = firstLineOf(module, statement)
    return { owner: parent.name, at: first, indent: editor.indentOf(statement), isBefore: true, prefix }
  }
  return undefined
}

/** The place before the comments of a statement, so that they stay with it. */
function firstLineOf(module: Adoption['module'], statement: Node): number {
  const block = module.parentOf(statement)
  const siblings = block?.type === 'BlockStatement' ? block.body : []
  const before = siblings[siblings.indexOf(statement as t.Statement) - 1]
  const from = before ? endOf(before) : block ? startOf(block) + 1 : startOf(statement)
  const gap = /^\s*/.exec(module.text.slice(from))?.[0].length ?? 0
  return from + gap
}

function statementAround(module: Adoption['module'], node: Node): Node | undefined {
  for (const ancestor of module.ancestorsOf(node)) {
    if (ancestor.type === 'ExpressionStatement') return ancestor
    if (isFunction(ancestor)) return undefined
  }
  return undefined
}

/** `register(fastifyPostgres, { ... })` gets `pg: app.poolguard.pg`. */
function adoptPostgresPlugin(adoption: Adoption, node: Node, isHere: boolean): void {
  const { module, evaluator, editor, need, instruct } = adoption
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return
  const [plugin, options] = node.arguments
  if (memberName(node.callee) !== 'register' || !plugin) return
  const member = evaluator.memberOf({ module, node: plugin })
  if (member?.source !== '@fastify/postgres' || (options && /poolguard/.test(module.textOf(options)))) return
  const owner = module.textOf(node.callee.object)
  need('@poolguard/pg')
  // The plugin's decorator exists once it is loaded: in a plugin that is loaded later, or in a function.
  if (options?.type !== 'ObjectExpression' || options.properties.length === 0) {
    instruct(node, text`Pass pg: ${owner}.poolguard.pg in the options of @fastify/postgres.`)
    return
  }
  const isInPlugin = [...module.ancestorsOf(node)].some(isFunction) && !isHere
  const instance = isInPlugin ? owner : 'parent'
  const [first] = options.properties as [Node]
  const between = module.text.slice(startOf(options) + 1, startOf(first))
  editor.insert(startOf(first), `pg: ${instance}.poolguard.pg,${between.includes('\n') ? between : ' '}`)
  if (!isInPlugin) editor.wrap(options, '(parent) => (', ')')
}
