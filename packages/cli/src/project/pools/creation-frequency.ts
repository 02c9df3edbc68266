import type * as t from '@babel/types'
import { bare, nameOfCallee } from '../../source/evaluator.ts'
import { functionAround, isFunction, type Module, type Node } from '../../source/module.ts'
import { nameOfFunction } from '../../source/read-number.ts'
import type { Place } from '../../source/source-graph.ts'
import type { PoolCreation, PoolRole } from '../pool-in-source.ts'
import { isKept, keptPerKey } from './kept.ts'
import { nameOfParameter, namesOfParameter } from './parameters.ts'

/** `app.get('/orders', handler)` and the like. */
const ROUTE = /\.(get|post|put|patch|delete|head|options|all|use|route|on|addHook|handle|query|mutation)$/
/** Functions that run their argument once: `singleton('pool', () => new Pool())`. */
const ONCE = /(singleton|remember|once|memoi[sz]e|cache|lazy|global)/i
/** The first parameter of a request handler. */
const REQUEST = /^_?(req|request|ctx|context|c|event|evt|reply|res|msg|message|job|input|args)$/
/** The first parameter of a function that an app calls once at its start. */
const APP = /^_?(app|server|fastify|instance|config|configService|env|environment|options?|opts|logger|strapi|process)$/
/** Functions that an app calls once. */
const START =
  /^(main|bootstrap|start\w*|run\w*|init\w*|setup\w*|seed\w*|migrate\w*|boot\w*|register\w*|connect(Db|DB|Database|ToDatabase)?|serve|build\w*)$/
/** Exports of a file that Next, Remix or SvelteKit calls for each request. */
const HANDLER =
  /^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|handler|loader|action|load|getServerSideProps|fetch|middleware)$/
/** Programs of their own: seeds, migrations and other scripts. A development server does not load them again. */
const SCRIPT =
  /(^|\/)(scripts?|migrations?|seeds?|seeders?)\/[^/]+$|(^|\/)(seed|migrate|migration|reset|backfill)[\w-]*\.[cm]?[jt]sx?$/

export function roleOf(file: string): PoolRole {
  return SCRIPT.test(file) ? 'script' : 'app'
}

/** How often the code at a place runs in one process. */
export function creationFrequency(
  place: Place,
  options: { readonly reloads: boolean; readonly usesNames: boolean },
): PoolCreation {
  const { module, node } = place
  const atLoad = (at: Node): PoolCreation =>
    options.reloads && !options.usesNames && roleOf(module.file) === 'app' && !isKept(module, at) ? 'reload' : 'process'
  let at: Node = node
  for (let depth = 0; depth < 20; depth++) {
    const around = functionAround(module, at)
    if (!around) return atLoad(at)
    const found = inFunction(module, at, around)
    if (found === 'process' || found === 'call') return found
    at = found
  }
  return 'process'
}

/** The frequency, or the place that decides: where the function is called or passed. */
function inFunction(module: Module, creation: Node, around: t.Function): 'process' | 'call' | Node {
  const parent = module.parentOf(around)
  if (around.type === 'ClassMethod' || around.type === 'ClassPrivateMethod') return inMethod(module, creation, around)
  if (isKept(module, creation)) return keptPerKey(module, creation, around) ? 'call' : 'process'
  if (parent && isCalledAtOnce(around, parent)) return parent
  if (parent?.type === 'CallExpression') return asArgument(module, around, parent)
  const name = nameOfFunction(around, parent) ?? propertyName(parent)
  if (name !== undefined && (/^use(Factory|Value)$/.test(name) || START.test(name))) return 'process'
  if (name !== undefined && HANDLER.test(name)) return 'call'
  const [first] = around.params
  const firstName = first ? nameOfParameter(first) : undefined
  if (firstName !== undefined && REQUEST.test(firstName)) return 'call'
  const calls = name === undefined ? [] : callsOf(module, name)
  const [call] = calls
  if (call && calls.every((each) => !functionAround(module, each))) return call
  if (usesParameters(module, creation, around)) return 'call'
  if (call && calls.length === 1) return call
  if (calls.length > 1) return calls.find((each) => !functionAround(module, each)) ?? (calls[0] as Node)
  return isLocal(module, creation) && !isReturned(module, creation) ? 'call' : 'process'
}

/** A class that Nest or the app makes once; of a method, whether it keeps the pool in the object. */
function inMethod(module: Module, creation: Node, method: t.ClassMethod | t.ClassPrivateMethod): 'process' | 'call' {
  const owner = [...module.ancestorsOf(method)].find(
    (each) => each.type === 'ClassDeclaration' || each.type === 'ClassExpression',
  )
  const text = owner ? decoratorText(module, owner) : ''
  if (/Scope\.(REQUEST|TRANSIENT)|durable/.test(text)) return 'call'
  if (method.type === 'ClassMethod' && method.kind === 'constructor') return 'process'
  if (isKept(module, creation)) return keptPerKey(module, creation, method) ? 'call' : 'process'
  if (usesParameters(module, creation, method)) return 'call'
  return isLocal(module, creation) && !isReturned(module, creation) ? 'call' : 'process'
}

function decoratorText(module: Module, owner: Node): string {
  const decorators = 'decorators' in owner ? (owner.decorators as t.Decorator[] | null | undefined) : undefined
  return decorators?.map((each) => module.textOf(each)).join(' ') ?? ''
}

function asArgument(module: Module, around: t.Function, call: t.CallExpression): 'process' | 'call' | Node {
  const name = nameOfCallee(call.callee) ?? module.textOf(call.callee).slice(-60)
  if (ONCE.test(name)) return 'process'
  const [first] = around.params
  const firstName = first ? nameOfParameter(first) : undefined
  if (firstName !== undefined && APP.test(firstName)) return 'process'
  if (
    ROUTE.test(name) &&
    (call.arguments[0] === around ? /\.(use|addHook)$/.test(name) : call.arguments[0]?.type === 'StringLiteral')
  )
    return 'call'
  if (firstName !== undefined && REQUEST.test(firstName)) return 'call'
  return call
}

function isCalledAtOnce(around: t.Function, parent: Node): boolean {
  return parent.type === 'CallExpression' && parent.callee === around
}

/** Whether what is created depends on a parameter: the address of a tenant, for example. */
function usesParameters(module: Module, creation: Node, around: t.Function): boolean {
  const names = new Set(around.params.flatMap(namesOfParameter).filter((name) => !APP.test(name)))
  if (names.size === 0 || !('arguments' in creation)) return false
  const [from, to] = [creation.start ?? 0, creation.end ?? 0]
  return (
    module.nodes.some(
      (node) =>
        node.type === 'Identifier' &&
        names.has(node.name) &&
        (node.start ?? 0) > from &&
        (node.end ?? 0) <= to &&
        module.bindingOf(node.name, node)?.kind === 'parameter' &&
        isValue(module, node),
    ) && !/max|size|limit/i.test([...names].join(' '))
  )
}

/** Not the key of a property. */
function isValue(module: Module, node: t.Identifier): boolean {
  const parent = module.parentOf(node)
  if (parent?.type === 'ObjectProperty') return parent.value === node
  return parent?.type !== 'MemberExpression' || parent.object === node || parent.computed
}

function propertyName(parent: Node | undefined): string | undefined {
  if (parent?.type !== 'ObjectProperty' || parent.key.type !== 'Identifier') return undefined
  return parent.key.name
}

function callsOf(module: Module, name: string): Node[] {
  return module.nodes.filter(
    (node) => node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === name,
  )
}

function isReturned(module: Module, creation: Node): boolean {
  let inner: Node = creation
  for (const ancestor of module.ancestorsOf(creation)) {
    if (ancestor.type === 'ReturnStatement') return true
    if (ancestor.type === 'ArrowFunctionExpression' && ancestor.body === inner) return true
    if (ancestor.type === 'VariableDeclarator' && ancestor.id.type === 'Identifier')
      return returnsName(module, ancestor.id.name, ancestor)
    if (isFunction(ancestor)) return false
    inner = ancestor
  }
  return false
}

function returnsName(module: Module, name: string, declarator: Node): boolean {
  const around = functionAround(module, declarator)
  return module.nodes.some(
    (node) =>
      node.type === 'ReturnStatement' &&
      functionAround(module, node) === around &&
      node.argument !== null &&
      node.argument !== undefined &&
      handsOn(node.argument, name),
  )
}

/** Whether an expression contains a variable's value: itself, or in an object or a call that takes it; not `pool.query()`. */
function handsOn(expression: Node, name: string, depth = 6): boolean {
  const node = bare(expression)
  if (node.type === 'Identifier') return node.name === name
  if (depth === 0) return false
  if (node.type === 'ObjectExpression')
    return node.properties.some((each) => each.type === 'ObjectProperty' && handsOn(each.value, name, depth - 1))
  const parts =
    node.type === 'ArrayExpression'
      ? node.elements
      : node.type === 'CallExpression' || node.type === 'NewExpression'
        ? node.arguments
        : []
  return parts.some((each) => each !== null && handsOn(each, name, depth - 1))
}

/** Whether a variable of the function holds what is created, so that nothing else can use it. */
function isLocal(module: Module, creation: Node): boolean {
  for (const ancestor of module.ancestorsOf(creation)) {
    if (ancestor.type === 'VariableDeclarator') return true
    if (ancestor.type === 'AssignmentExpression')
      return ancestor.left.type === 'Identifier' && isOwn(module, ancestor.left, ancestor)
    if (isFunction(ancestor)) return false
  }
  return false
}

function isOwn(module: Module, name: t.Identifier, at: Node): boolean {
  const binding = module.bindingOf(name.name, at)
  return binding?.kind === 'variable' && functionAround(module, binding.node) === functionAround(module, at)
}
