import { bare, Evaluator, memberName } from '../../source/evaluator.ts'
import { isFunction, keyOf, type Module, type Node } from '../../source/module.ts'
import { type NumberReading, readNumber, type Variables } from '../../source/read-number.ts'
import { readVariable } from '../../source/read-variable.ts'
import type { Place, SourceGraph } from '../../source/source-graph.ts'
import type { PoolInSource } from '../pool-in-source.ts'
import { urlParametersIn } from '../url-parameters.ts'
import { creationFrequency, roleOf } from './creation-frequency.ts'
import { DRIVER_POOLS } from './driver-pools.ts'
import { LIBRARY_POOLS } from './library-pools.ts'
import { ORM_POOLS } from './orm-pools.ts'
import { draftFromPlugin, MODULE_POOLS } from './plugin-pools.ts'
import type { Creation, PoolDraft, PoolReader } from './pool-draft.ts'
import { draftFromShape } from './pool-shapes.ts'
import { repetitions } from './repetitions.ts'

const READERS: readonly PoolReader[] = [...DRIVER_POOLS, ...ORM_POOLS, ...LIBRARY_POOLS, ...MODULE_POOLS]

/** More pools of one source are not read: each one takes time that grows with the source. */
const MAX_POOLS = 100

/** Facts about an app that its sources do not contain. */
export interface AppContext {
  /** The app's directory, relative to the project's root. */
  readonly folder: string
  readonly packages: ReadonlyMap<string, string>
  readonly variables: Variables
  /** A development server loads the app's modules again after a change. */
  readonly reloads: boolean
  /** The variable of Prisma's datasource; undefined if Prisma does not connect to PostgreSQL. */
  readonly prismaVariable: string | undefined
}

/** The pools that one source of an app creates. */
export function findPools(module: Module, graph: SourceGraph, app: AppContext, seen: Set<Node>): PoolInSource[] {
  const evaluator = new Evaluator(graph)
  const found: PoolInSource[] = []
  for (const { place, draft } of draftsIn(module, evaluator, app)) {
    const options = draft.options && evaluator.resolve(draft.options).node
    if (options && options.type === 'ObjectExpression') {
      if (seen.has(options)) continue
      seen.add(options)
    }
    found.push(poolFrom(evaluator, place, draft, app))
    if (found.length >= MAX_POOLS) break
  }
  return found
}

function* draftsIn(
  module: Module,
  evaluator: Evaluator,
  app: AppContext,
): Generator<{ place: Place; draft: PoolDraft }> {
  for (const node of module.nodes) {
    const place = { module, node }
    evaluator.begin()
    const draft = draftOf(evaluator, place, app)
    if (draft) yield { place, draft }
  }
  // After the calls: they claim the objects that they are given.
  for (const node of module.nodes) {
    evaluator.begin()
    if (isOtherEnvironment(module, node)) continue
    const draft =
      node.type === 'ObjectExpression' ? draftFromShape(evaluator, { module, node }, app.packages) : undefined
    if (draft) yield { place: { module, node }, draft }
  }
}

/** Options for development or tests beside those for production: `{ development: {...}, production: {...} }`. */
function isOtherEnvironment(module: Module, node: Node): boolean {
  const property = module.parentOf(node)
  const parent = property && module.parentOf(property)
  if (property?.type !== 'ObjectProperty' || parent?.type !== 'ObjectExpression') return false
  const key = keyOf(property)
  if (key === 'production' || !/^(development|dev|test|local|staging|ci)$/.test(key ?? '')) return false
  return parent.properties.some((each) => each.type === 'ObjectProperty' && keyOf(each) === 'production')
}

function draftOf(evaluator: Evaluator, { module, node }: Place, app: AppContext): PoolDraft | undefined {
  const creation = creationAt(evaluator, { module, node })
  if (creation) {
    const { source, path } = creation.member
    const reader = READERS.find((each) => each.source.test(source) && each.path.test(path))
    const draft = reader?.read(evaluator, creation)
    const isPrismaElsewhere = draft?.library === 'prisma' && !draft.guarded && app.prismaVariable === undefined
    if (draft) return isPrismaElsewhere && source !== '@prisma/adapter-pg' ? undefined : draft
  }
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined
  const [plugin, options] = node.arguments
  return memberName(node.callee) === 'register' && plugin
    ? draftFromPlugin(evaluator, { module, node: plugin }, options && { module, node: options })
    : undefined
}

/** A call or `new` of a package's member; also `super(...)`, and a class that leaves its constructor out. */
function creationAt(evaluator: Evaluator, { module, node }: Place): Creation | undefined {
  if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') {
    const hasConstructor = node.body.body.some((each) => each.type === 'ClassMethod' && each.kind === 'constructor')
    const member =
      node.superClass && !hasConstructor ? evaluator.memberOf({ module, node: node.superClass }) : undefined
    return member && { place: { module, node }, member, arguments: [] }
  }
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return undefined
  const callee = node.callee.type === 'Super' ? superClassAround(module, node) : node.callee
  const member = callee && evaluator.memberOf({ module, node: callee })
  return (
    member && { place: { module, node }, member, arguments: node.arguments.map((each) => ({ module, node: each })) }
  )
}

function superClassAround(module: Module, node: Node): Node | undefined {
  for (const ancestor of module.ancestorsOf(node))
    if (ancestor.type === 'ClassDeclaration' || ancestor.type === 'ClassExpression')
      return ancestor.superClass ?? undefined
  return undefined
}

function poolFrom(evaluator: Evaluator, place: Place, draft: PoolDraft, app: AppContext): PoolInSource {
  const { module, node } = place
  const line = module.lineOf(node)
  const urlVariable = draft.url && variableIn(draft.url)
  const isEngine = draft.library === 'prisma' && !draft.url && !draft.guarded
  const variable = urlVariable ?? (isEngine ? app.prismaVariable : undefined)
  const size = sizeOf(evaluator, place, { ...draft, urlVariable: variable }, app)
  return {
    file: module.file,
    line,
    library: libraryAround(evaluator, place) ?? draft.library,
    max: size.value,
    maxFrom: size.from,
    maxFile: size.file,
    maxLine: size.line,
    pools: (draft.pools ?? 1) * repetitions(evaluator, place),
    per: creationFrequency(place, {
      reloads: app.reloads,
      usesNames: draft.guarded === true && !draft.isNewEachTime && hasName(evaluator, draft),
    }),
    role: roleOf(module.file),
    guarded: draft.guarded ?? false,
    urlVariable: variable,
    app: app.folder,
  }
}

function sizeOf(
  evaluator: Evaluator,
  { module, node }: Place,
  draft: PoolDraft & { readonly urlVariable: string | undefined },
  { variables }: AppContext,
): NumberReading {
  const here = { file: module.file, line: module.lineOf(node) }
  if (draft.size.kind === 'found') return readNumber(evaluator, draft.size.place, variables)
  if (draft.readsConnectionLimit) {
    const limit = limitOfUrl(evaluator, module, draft, variables)
    if (limit) return { ...here, ...limit }
  }
  if (draft.size.kind === 'unknown') {
    const { place } = draft.size
    const expression = place.module.textOf(place.node).slice(0, 60).replace(/\s+/g, ' ')
    return {
      value: undefined,
      from: { kind: 'unknown', expression },
      file: place.module.file,
      line: place.module.lineOf(place.node),
    }
  }
  const { value, reference, assumes } = draft.byDefault
  return { ...here, value, from: { kind: 'default', reference, ...(assumes !== undefined && { assumes }) } }
}

const LIMIT = /[?&]connection_limit=(\d{1,6})/

/** `connection_limit`: set in the source, written in the URL, or in the variable that contains it. */
function limitOfUrl(
  evaluator: Evaluator,
  module: Module,
  { url, urlVariable }: { readonly url?: Place | undefined; readonly urlVariable: string | undefined },
  variables: Variables,
): (Partial<NumberReading> & Pick<NumberReading, 'value' | 'from'>) | undefined {
  const parameter = 'connection_limit'
  const [set] = urlParametersIn(module).filter((each) => each.parameter === parameter)
  if (set) {
    const { value, file, line } = readNumber(evaluator, { module, node: set.value }, variables)
    return { value, file, line, from: { kind: 'url', parameter, variable: urlVariable } }
  }
  const resolved = url && evaluator.resolve(url)
  const inserted = resolved && insertedLimit(resolved)
  if (inserted) {
    const { value, file, line } = readNumber(evaluator, inserted, variables)
    return { value, file, line, from: { kind: 'url', parameter, variable: urlVariable } }
  }
  const [, written] = LIMIT.exec(resolved ? resolved.module.textOf(resolved.node).slice(0, 1_000) : '') ?? []
  const [, stored] = LIMIT.exec((urlVariable !== undefined && variables[urlVariable]) || '') ?? []
  const text = written ?? stored
  return text === undefined
    ? undefined
    : {
        value: Number(text),
        from: { kind: 'url', parameter, variable: written === undefined ? urlVariable : undefined },
      }
}

/** The expression behind `connection_limit=` in a template. */
function insertedLimit({ module, node }: Place): Place | undefined {
  if (node.type !== 'TemplateLiteral') return undefined
  const index = node.quasis.findIndex(({ value }) => /[?&]connection_limit=$/.test(value.raw))
  const expression = index < 0 ? undefined : node.expressions[index]
  return expression && { module, node: expression }
}

/** The first environment variable in an expression, or in what its names stand for. */
function variableIn(place: Place, depth = 4): string | undefined {
  const use = readVariable(place)
  if (use) return use.name
  if (depth === 0) return undefined
  const { module } = place
  const node = bare(place.node)
  const binding = node.type === 'Identifier' ? module.bindingOf(node.name, node) : undefined
  const inits = binding?.kind === 'variable' ? binding.inits : []
  for (const init of inits) {
    const found = variableIn({ module, node: init }, depth - 1)
    if (found !== undefined) return found
  }
  for (const child of childrenOf(node)) {
    const found = variableIn({ module, node: child }, depth - 1)
    if (found !== undefined) return found
  }
  return undefined
}

function childrenOf(node: Node): readonly Node[] {
  if (node.type === 'TemplateLiteral') return node.expressions
  if (node.type === 'LogicalExpression' || node.type === 'BinaryExpression') return [node.left, node.right]
  if (node.type === 'ConditionalExpression') return [node.consequent, node.alternate]
  if (node.type === 'CallExpression' || node.type === 'NewExpression') return [node.callee, ...node.arguments]
  return node.type === 'MemberExpression' ? [node.object] : []
}

function hasName(evaluator: Evaluator, { options }: PoolDraft): boolean {
  return options !== undefined && evaluator.property(options, 'name') !== undefined
}

/** A pool that the app makes for a library, beside its own: `betterAuth({ database: new Pool() })`. */
function libraryAround(evaluator: Evaluator, { module, node }: Place): 'better-auth' | undefined {
  for (const ancestor of module.ancestorsOf(node)) {
    if (isFunction(ancestor)) return undefined
    const member =
      ancestor.type === 'CallExpression' ? evaluator.memberOf({ module, node: ancestor.callee }) : undefined
    if (member?.source === 'better-auth' && member.path === 'betterAuth') return 'better-auth'
  }
  return undefined
}
