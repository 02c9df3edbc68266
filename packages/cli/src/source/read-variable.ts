import type * as t from '@babel/types'
import { bare, memberName } from './evaluator.ts'
import type { Expression, Node } from './module.ts'
import type { Place } from './source-graph.ts'

/** A use of an environment variable, with the value for when it is not set. */
export interface VariableUse {
  readonly name: string
  readonly fallback: Expression | undefined
}

const VARIABLE_NAME = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/
/** Objects whose upper-case members are variables: `process.env`, a checked `env` of the app, Nest's and Strapi's. */
const ENVIRONMENT = /(^|\.)(env|ENV|environment|[eE]nvs|[cC]onfig|vars|Variables)$/
/** `config.get('DB_HOST')`, `env('DB_HOST')`, `requireEnv('DB_HOST')`, `env.int('DB_POOL', 10)`. */
const GETTER = /(^|\.)(\w*[eE]nv\w*|get|getOrThrow|getNumber|getString|required?|int|number|str|string|optional)$/

/** The environment variable that an expression reads, in any of the usual ways; undefined for other expressions. */
export function readVariable(place: Place): VariableUse | undefined {
  const { module } = place
  const node = bare(place.node)
  if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') {
    const name = memberName(node)
    return name !== undefined &&
      VARIABLE_NAME.test(name) &&
      isEnvironment(module.textOf(node.object)) &&
      !isOwnObject(place, node)
      ? { name, fallback: undefined }
      : undefined
  }
  if (node.type === 'CallExpression' || node.type === 'OptionalCallExpression') return readGetter(place, node)
  if (node.type !== 'Identifier') return undefined
  const binding = module.bindingOf(node.name, node)
  // const { DB_POOL_MAX = '10' } = process.env
  if (binding?.kind !== 'variable' || binding.path.length !== 1) return undefined
  const [init] = binding.inits
  const [name = ''] = binding.path
  if (init === undefined || !VARIABLE_NAME.test(name) || !isEnvironment(module.textOf(bare(init)))) return undefined
  return { name, fallback: binding.fallback }
}

/** An object, class or enum of the same source, such as `Config.MAX`. */
function isOwnObject({ module }: Place, { object }: t.MemberExpression | t.OptionalMemberExpression): boolean {
  const binding = object.type === 'Identifier' ? module.bindingOf(object.name, object) : undefined
  if (binding?.kind === 'variable') return binding.inits.some((init) => bare(init).type === 'ObjectExpression')
  return binding?.kind === 'class' || binding?.kind === 'enum'
}

function isEnvironment(text: string): boolean {
  return text.length < 80 && ENVIRONMENT.test(text.replaceAll('?', ''))
}

function readGetter({ module }: Place, node: t.CallExpression | t.OptionalCallExpression): VariableUse | undefined {
  const [first, second] = node.arguments
  const callee = bare(node.callee)
  if (first?.type !== 'StringLiteral' || !VARIABLE_NAME.test(first.value)) return undefined
  const name = calleeText(callee, module.textOf(callee))
  if (!GETTER.test(name)) return undefined
  const fallback =
    second && second.type !== 'SpreadElement' && second.type !== 'ArgumentPlaceholder' ? second : undefined
  return { name: first.value, fallback: isOptions(fallback) ? undefined : fallback }
}

function calleeText(callee: Node, text: string): string {
  return callee.type === 'MemberExpression' || callee.type === 'Identifier' ? text.slice(-60).replaceAll('?', '') : ''
}

/** `config.get('X', { infer: true })` has no fallback. */
function isOptions(node: Expression | undefined): boolean {
  return node?.type === 'ObjectExpression'
}
