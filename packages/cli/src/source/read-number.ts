import type * as t from '@babel/types'
import { bare, type Evaluator, memberName, nameOfCallee } from './evaluator.ts'
import { type Binding, keyOf, type Module, type Node } from './module.ts'
import { readVariable } from './read-variable.ts'
import type { PoolSizeSource } from './size-source.ts'
import { importedPlace, type Place } from './source-graph.ts'

/** A number in a source: its value where it can be computed, and where to change it. */
export interface NumberReading {
  readonly value: number | undefined
  readonly from: PoolSizeSource
  readonly file: string
  readonly line: number
}

export type Variables = Readonly<Record<string, string | undefined>>

const MAX_STEPS = 30
/** Longer expressions are cut in messages. */
const MAX_EXPRESSION = 60

/** Computes a number of the sources. Of several possible values it takes the largest. */
export function readNumber(
  evaluator: Evaluator,
  place: Place,
  variables: Variables,
  steps: number = MAX_STEPS,
): NumberReading {
  const { module } = place
  const node = bare(place.node)
  const here = (value: number | undefined, from: PoolSizeSource): NumberReading => ({
    value,
    from,
    file: module.file,
    line: module.lineOf(node),
  })
  const unknown = (): NumberReading =>
    here(undefined, { kind: 'unknown', expression: module.textOf(node).slice(0, MAX_EXPRESSION).replace(/\s+/g, ' ') })
  const read = (inner: Node): NumberReading => readNumber(evaluator, { module, node: inner }, variables, steps - 1)
  if (steps <= 0 || !evaluator.spend()) return unknown()

  const literal = literalOf(node)
  if (literal !== undefined) return here(literal, { kind: 'literal' })
  const variable = readVariable({ module, node })
  if (variable) {
    const declared = variable.fallback ?? declaredDefault(module, node)
    const fallback = declared && read(declared).value
    return here(wholeOf(variables[variable.name]) ?? fallback, { kind: 'variable', variable: variable.name, fallback })
  }
  switch (node.type) {
    case 'UnaryExpression':
      return node.operator === '+' ? read(node.argument) : unknown()
    case 'LogicalExpression':
      return node.operator === '&&' ? read(node.right) : withFallback(read(node.left), read(node.right))
    case 'ConditionalExpression':
      return largest([read(node.consequent), read(node.alternate)]) ?? unknown()
    case 'BinaryExpression':
      return calculated(node, read) ?? unknown()
    case 'CallExpression':
      return readCall(node, read) ?? unknown()
    case 'Identifier':
      return readBinding(evaluator, { module, node }, module.bindingOf(node.name, node), variables, steps) ?? unknown()
    default: {
      const behind = evaluator.resolve({ module, node })
      return behind.node === node ? unknown() : readNumber(evaluator, behind, variables, steps - 1)
    }
  }
}

const checks = new WeakMap<Module, ReadonlyMap<string, Node>>()

/** The properties whose value is a call, by their name: the schema of a checked environment is one of them. */
function checksIn(module: Module): ReadonlyMap<string, Node> {
  const known = checks.get(module)
  if (known) return known
  const found = new Map<string, Node>()
  for (const node of module.nodes) {
    const key = node.type === 'ObjectProperty' && node.value.type === 'CallExpression' ? keyOf(node) : undefined
    if (key !== undefined && node.type === 'ObjectProperty' && !found.has(key)) found.set(key, node.value)
  }
  checks.set(module, found)
  return found
}

/** The default in the schema of a checked environment: `z.object({ DB_POOL: z.number().default(12) })`, `num({ default: 12 })`. */
function declaredDefault(module: Place['module'], node: Node): Node | undefined {
  const name = node.type === 'MemberExpression' ? memberName(node) : undefined
  if (name === undefined) return undefined
  let call = checksIn(module).get(name)
  while (call?.type === 'CallExpression') {
    const [first] = call.arguments
    if (call.callee.type === 'MemberExpression' && memberName(call.callee) === 'default') return first
    const options = first?.type === 'ObjectExpression' ? first.properties : []
    const given = options.find((each) => each.type === 'ObjectProperty' && keyOf(each) === 'default')
    if (given?.type === 'ObjectProperty') return given.value
    const inner: Node | undefined = call.callee.type === 'MemberExpression' ? call.callee.object : undefined
    call = inner
  }
  return undefined
}

function readBinding(
  evaluator: Evaluator,
  { module, node }: Place<t.Identifier>,
  binding: Binding | undefined,
  variables: Variables,
  steps: number,
): NumberReading | undefined {
  const read = (place: Place) => readNumber(evaluator, place, variables, steps - 1)
  if (binding?.kind === 'import') {
    const place = importedPlace(evaluator.graph, module, binding)
    return place && named(read(place), node.name)
  }
  if (binding?.kind === 'variable') {
    if (binding.path.length > 0) {
      const behind = evaluator.resolve({ module, node })
      return behind.node === node ? undefined : named(read(behind), node.name)
    }
    const values = binding.inits.map((init) => read({ module, node: init }))
    const found = largest(values) ?? values[0]
    return found && named(found, node.name)
  }
  if (binding?.kind === 'parameter' && binding.path.length === 0) {
    const given = argumentsFor({ module, node: binding.of }, binding.index)
    return largest(
      [...given, ...(binding.fallback ? [binding.fallback] : [])].map((each) => read({ module, node: each })),
    )
  }
  return undefined
}

/** What the callers in the same source pass for a parameter of a function. */
function argumentsFor({ module, node: of }: Place<t.Function>, index: number): Node[] {
  const name = nameOfFunction(of, module.parentOf(of))
  if (name === undefined) return []
  return module.nodes.flatMap((each) => {
    const isCall = each.type === 'CallExpression' && each.callee.type === 'Identifier' && each.callee.name === name
    const argument = isCall ? each.arguments[index] : undefined
    return argument ? [argument] : []
  })
}

export function nameOfFunction(node: t.Function, parent: Node | undefined): string | undefined {
  if (node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression') {
    if (node.id) return node.id.name
  }
  return parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier' ? parent.id.name : undefined
}

/** A literal behind a name is a constant; a variable stays a variable. */
function named(reading: NumberReading, name: string): NumberReading {
  return reading.from.kind === 'literal' ? { ...reading, from: { kind: 'constant', name } } : reading
}

function withFallback(left: NumberReading, right: NumberReading): NumberReading {
  if (left.from.kind === 'variable') {
    const fallback = left.from.fallback ?? right.value
    return { ...left, value: left.value ?? fallback, from: { ...left.from, fallback } }
  }
  return left.value === undefined ? right : left
}

/** `Number(x)`, `parseInt(x, 10)`; the largest that `Math.min(20, x)` can be. */
function readCall(node: t.CallExpression, read: (inner: Node) => NumberReading): NumberReading | undefined {
  const name = nameOfCallee(node.callee) ?? ''
  const [first] = node.arguments
  if (
    first &&
    /^(Number|String|parseInt|parseFloat|Number\.parse(Int|Float)|Math\.(floor|ceil|round|trunc)|toNumber|toInt)$/.test(
      name,
    )
  )
    return read(first)
  if (name !== 'Math.max' && name !== 'Math.min') return undefined
  const readings = node.arguments.map(read)
  if (name === 'Math.max') return readings.every(({ value }) => value !== undefined) ? largest(readings) : undefined
  return readings.filter(({ value }) => value !== undefined).sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
}

function calculated(
  { left, right, operator }: t.BinaryExpression,
  read: (inner: Node) => NumberReading,
): NumberReading | undefined {
  const [one, other] = [read(left), read(right)]
  if (one.value === undefined || other.value === undefined) return undefined
  const value = {
    '+': one.value + other.value,
    '-': one.value - other.value,
    '*': one.value * other.value,
    '/': Math.floor(one.value / other.value),
  }[operator as '+']
  const leading = one.from.kind === 'literal' ? other : one
  return value === undefined || !Number.isFinite(value) ? undefined : { ...leading, value }
}

function largest(readings: readonly NumberReading[]): NumberReading | undefined {
  return readings
    .filter(({ value }) => value !== undefined)
    .reduce<NumberReading | undefined>(
      (most, each) => (most && (most.value ?? 0) >= (each.value ?? 0) ? most : each),
      undefined,
    )
}

function literalOf(node: Node): number | undefined {
  if (node.type === 'NumericLiteral') return node.value
  return node.type === 'StringLiteral' ? wholeOf(node.value) : undefined
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,7}\s*$/.test(text) ? Number(text) : undefined
}
