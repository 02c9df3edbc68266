import { bare, type Evaluator, memberName } from '../../source/evaluator.ts'
import { readVariable } from '../../source/read-variable.ts'
import type { Place } from '../../source/source-graph.ts'
import type { PoolLibrary } from '../pool-in-source.ts'
import type { Creation, DefaultSize, PoolDraft, SizePlace } from './pool-draft.ts'

/** How a library takes its options. */
export interface OptionsShape {
  readonly library: PoolLibrary
  readonly byDefault: DefaultSize
  /** Paths of the size, the strongest first: `['extra.max', 'poolSize']`. */
  readonly sizes: readonly string[]
  /** Paths of the address. */
  readonly urls?: readonly string[]
  /** Properties that hand over an existing pool or client. */
  readonly existing?: readonly string[]
  readonly guarded?: boolean
  readonly readsConnectionLimit?: boolean
}

export const ADDRESSES: readonly string[] = ['connectionString', 'url', 'uri', 'connectionUrl', 'connection', 'host']

/** The size that options set: at the first path that they contain. */
export function findSize(evaluator: Evaluator, options: Place | undefined, paths: readonly string[]): SizePlace {
  if (!options) return { kind: 'absent' }
  for (const path of paths) {
    const place = evaluator.propertyAt(options, ...path.split('.'))
    if (place) return { kind: 'found', place }
  }
  const gap = unreadablePart(evaluator, options)
  return gap ? { kind: 'unknown', place: gap } : { kind: 'absent' }
}

/** A part of the options that may contain the size, and that no source of the app shows. */
function unreadablePart(evaluator: Evaluator, options: Place, depth = 5): Place | undefined {
  const { module, node } = evaluator.resolve(options)
  if (node.type !== 'ObjectExpression') return isAddress(evaluator, options) ? undefined : { module, node }
  if (depth === 0) return undefined
  for (const each of node.properties) {
    const gap = each.type === 'SpreadElement' && unreadablePart(evaluator, { module, node: each.argument }, depth - 1)
    if (gap) return gap
  }
  return undefined
}

/** Reads options, or an address in their place. */
export function draftFrom(
  evaluator: Evaluator,
  options: Place | undefined,
  shape: OptionsShape,
): PoolDraft | undefined {
  const { library, byDefault, sizes, urls = ADDRESSES, existing = [], guarded, readsConnectionLimit } = shape
  if (options && (isExistingPool(evaluator, options) || existing.some((name) => evaluator.property(options, name))))
    return undefined
  const isUrl = options !== undefined && isAddress(evaluator, options)
  const url = isUrl ? options : options && firstOf(evaluator, options, urls)
  return {
    library,
    byDefault,
    size: isUrl ? { kind: 'absent' } : findSize(evaluator, options, sizes),
    url,
    options: isUrl ? undefined : options,
    ...(guarded && { guarded }),
    ...(readsConnectionLimit && { readsConnectionLimit }),
  }
}

/** Whether an argument is a pool, or what an adapter of poolguard returns: that call is found by itself. */
function isExistingPool(evaluator: Evaluator, place: Place): boolean {
  const { module, node } = evaluator.resolve(place)
  if (node.type === 'NewExpression') return true
  if (node.type === 'CallExpression')
    return evaluator.memberOf({ module, node: node.callee })?.source.startsWith('@poolguard/') ?? false
  const name = node.type === 'Identifier' ? node.name : node.type === 'MemberExpression' ? memberName(node) : undefined
  return name !== undefined && /(pool|client|sql)$/i.test(name)
}

/** The first of these properties that the options have. */
export function firstOf(evaluator: Evaluator, options: Place, paths: readonly string[]): Place | undefined {
  for (const path of paths) {
    const place = evaluator.propertyAt(options, ...path.split('.'))
    if (place) return place
  }
  return undefined
}

/** The last argument that is, or may be, an object with options. */
export function optionsOf(evaluator: Evaluator, { arguments: given }: Creation): Place | undefined {
  return [...given].reverse().find((place) => !isAddress(evaluator, place))
}

/** Whether an expression is a text: a URL, a variable of the environment, or a name that says so. */
export function isAddress(evaluator: Evaluator, place: Place): boolean {
  const { module, node } = place
  const plain = bare(node)
  if (readVariable({ module, node: plain })) return true
  if (plain.type === 'Identifier' && /(url|uri|dsn|connection_?string|conn_?str)$/i.test(plain.name)) return true
  if ((plain.type === 'LogicalExpression' || plain.type === 'BinaryExpression') && 'left' in plain)
    return isAddress(evaluator, { module, node: plain.left }) || isAddress(evaluator, { module, node: plain.right })
  if (plain.type === 'ConditionalExpression') return isAddress(evaluator, { module, node: plain.consequent })
  if (plain.type === 'MemberExpression' && /^(href|toString|url|uri|connectionString)$/.test(memberName(plain) ?? ''))
    return true
  if (
    plain.type === 'CallExpression' &&
    /toString|String\(|[uU]rl\(|getConnectionString/.test(module.textOf(plain).slice(0, 80))
  )
    return true
  const resolved = evaluator.resolve(place)
  if (resolved.node !== plain) return isAddress(evaluator, resolved)
  return resolved.node.type === 'StringLiteral' || resolved.node.type === 'TemplateLiteral'
}

/** The text of a property, if it is written in the sources: `type: 'postgres'`. */
export function textAt(evaluator: Evaluator, options: Place, name: string): string | undefined {
  const place = evaluator.property(options, name)
  if (!place) return undefined
  const { node } = evaluator.resolve(place)
  if (node.type === 'StringLiteral') return node.value
  return node.type === 'TemplateLiteral' && node.expressions.length === 0
    ? (node.quasis[0]?.value.cooked ?? undefined)
    : undefined
}
