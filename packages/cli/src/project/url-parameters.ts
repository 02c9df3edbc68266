import { memberName } from '../source/evaluator.ts'
import type { Module, Node } from '../source/module.ts'

/** A parameter that a source sets on a URL: `url.searchParams.set('connection_limit', '20')`. */
export interface UrlParameterUse {
  readonly parameter: string
  readonly value: Node
  readonly node: Node
}

export function urlParametersIn(module: Module): UrlParameterUse[] {
  return module.nodes.flatMap((node) => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return []
    const [name, value] = node.arguments
    const isSet =
      /^(set|append)$/.test(memberName(node.callee) ?? '') &&
      /searchParams|params/i.test(module.textOf(node.callee.object).slice(-40))
    return isSet && name?.type === 'StringLiteral' && value ? [{ parameter: name.value, value, node }] : []
  })
}
