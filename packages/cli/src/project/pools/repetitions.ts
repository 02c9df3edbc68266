import type { Evaluator } from '../../source/evaluator.ts'
import { memberName } from '../../source/evaluator.ts'
import { functionAround } from '../../source/module.ts'
import { nameOfFunction } from '../../source/read-number.ts'
import type { Place } from '../../source/source-graph.ts'

/** How often loading a module creates the pool: for each element of a list, or for each call of the function around it. */
export function repetitions(evaluator: Evaluator, { module, node }: Place): number {
  const around = functionAround(module, node)
  if (!around) return 1
  const parent = module.parentOf(around)
  if (parent?.type === 'CallExpression' && parent.callee.type === 'MemberExpression') {
    const isLoop = /^(map|forEach|flatMap)$/.test(memberName(parent.callee) ?? '')
    const list = isLoop ? evaluator.resolve({ module, node: parent.callee.object }).node : undefined
    return list?.type === 'ArrayExpression' ? Math.max(1, list.elements.length) : 1
  }
  const name = nameOfFunction(around, parent)
  const calls = module.nodes.filter(
    (each) => each.type === 'CallExpression' && each.callee.type === 'Identifier' && each.callee.name === name,
  )
  return calls.length > 1 && calls.every((each) => !functionAround(module, each)) ? calls.length : 1
}
