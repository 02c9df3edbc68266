import type * as t from '@babel/types'
import { bare, nameOfCallee } from '../../source/evaluator.ts'
import { isFunction, type Module, type Node } from '../../source/module.ts'
import { nameOfParameter } from './parameters.ts'

/** Whether the code keeps the pool: on `globalThis`, in a variable outside, or in a cache. */
export function isKept(module: Module, creation: Node): boolean {
  let inner: Node = creation
  for (const ancestor of module.ancestorsOf(creation)) {
    if (isFunction(ancestor)) return false
    if (ancestor.type === 'LogicalExpression' && ancestor.right === inner && ancestor.operator !== '&&') return true
    if (ancestor.type === 'AssignmentExpression' && ancestor.right === inner) {
      if (ancestor.operator !== '=' || keepsGlobally(module, ancestor.left)) return true
      if (isUnderTest(module, ancestor)) return true
    }
    if (ancestor.type === 'ConditionalExpression' && mentionsGlobal(module, ancestor)) return true
    if (ancestor.type === 'CallExpression' && /\.(set|put)$/.test(nameOfCallee(ancestor.callee) ?? '')) return true
    if (ancestor.type === 'VariableDeclarator' && isStored(module, ancestor)) return true
    inner = ancestor
  }
  return false
}

/** `if (!pool) pool = new Pool()`. */
function isUnderTest(module: Module, node: Node): boolean {
  for (const ancestor of module.ancestorsOf(node)) {
    if (isFunction(ancestor)) return returnsEarly(module, ancestor, node)
    if (ancestor.type === 'IfStatement' && !/NODE_ENV/.test(module.textOf(ancestor.test))) return true
  }
  return false
}

/** `if (pool) return pool; pool = new Pool()`. */
function returnsEarly(module: Module, around: t.Function, node: Node): boolean {
  if (around.body.type !== 'BlockStatement' || node.type !== 'AssignmentExpression') return false
  const target = module.textOf(node.left)
  return around.body.body.some((each) => each.type === 'IfStatement' && module.textOf(each.test).includes(target))
}

/** `const pool = new Pool(); globalThis.pool = pool`, or `pools.set(tenant, pool)`. */
function isStored(module: Module, declarator: t.VariableDeclarator): boolean {
  if (declarator.id.type !== 'Identifier') return false
  const { name } = declarator.id
  return module.nodes.some((node) => {
    if (node.type === 'CallExpression')
      return /\.set$/.test(nameOfCallee(node.callee) ?? '') && node.arguments.some((each) => isName(each, name))
    return (
      node.type === 'AssignmentExpression' &&
      isName(node.right, name) &&
      node.left.type === 'MemberExpression' &&
      (node.left.computed || keepsGlobally(module, node.left)) &&
      !isForProductionOnly(module, node)
    )
  })
}

/** `if (process.env.NODE_ENV === 'production') globalThis.pool = pool` does not help in development. */
function isForProductionOnly(module: Module, node: Node): boolean {
  for (const ancestor of module.ancestorsOf(node))
    if (ancestor.type === 'IfStatement') return /===?\s*['"]production/.test(module.textOf(ancestor.test))
  return false
}

function isName(node: Node, name: string): boolean {
  const plain = bare(node)
  return plain.type === 'Identifier' && plain.name === name
}

function keepsGlobally(module: Module, target: Node): boolean {
  return target.type === 'MemberExpression' && isGlobal(module, target.object)
}

function isGlobal(module: Module, node: Node): boolean {
  const plain = bare(node)
  if (plain.type === 'MemberExpression') return isGlobal(module, plain.object)
  if (plain.type !== 'Identifier') return false
  if (plain.name === 'globalThis' || plain.name === 'global') return true
  const binding = module.bindingOf(plain.name, plain)
  return binding?.kind === 'variable' && binding.inits.some((init) => /\bglobal(This)?\b/.test(module.textOf(init)))
}

function mentionsGlobal(module: Module, node: Node): boolean {
  return /global/i.test(module.textOf(node).slice(0, 200))
}

/** Whether the pool is one of several: `pools.get(tenant) ?? new Pool()`, `pools[tenant] ??= new Pool()`. */
export function keptPerKey(module: Module, creation: Node, around: t.Function): boolean {
  if (around.params.length === 0) return false
  const names = around.params.map(nameOfParameter).filter((name) => name !== undefined)
  return (
    module.nodes.some((node) => {
      if ((node.start ?? 0) < (around.start ?? 0) || (node.end ?? 0) > (around.end ?? 0)) return false
      if (node.type === 'MemberExpression' && node.computed) return names.some((name) => isName(node.property, name))
      if (
        node.type !== 'CallExpression' ||
        !/\.(get|set|has)$/.test(nameOfCallee(node.callee) ?? module.textOf(node.callee))
      )
        return false
      return node.arguments.some((each) => names.some((name) => isName(each, name)))
    }) && creation !== around
  )
}
