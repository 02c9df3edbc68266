import type * as ast from '@babel/types'
import { t } from '../../output/translate.ts'
import { parseSource } from '../../source/parse-source.ts'
import type { ProjectFolder } from '../project-folder.ts'
import type { Amount, WorkloadVariable } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { ASSUMED_CPUS, assumed, type Container, type Deployment, fixed, setTo } from './container.ts'
import { platformProgram } from './container-defaults.ts'
import { FileValue, ValueBudget } from './file-value.ts'
import { readWords } from './read-words.ts'
import { readYaml } from './read-yaml.ts'
import type { Reading } from './reading.ts'

const PM2_FILE = /^(ecosystem|pm2)[\w.-]{0,100}\.(c?js|mjs|ts|json|ya?ml)$/

export function isPm2File(name: string): boolean {
  return PM2_FILE.test(name)
}

/** Reads an ecosystem file of PM2 without running it: https://pm2.keymetrics.io/docs/usage/application-declaration/ */
export function readPm2(folder: ProjectFolder, path: string, reading: Reading): readonly Deployment[] {
  const isData = /\.(json|ya?ml)$/.test(path)
  const file = isData
    ? folder.read(path, 'YAML', (text) => readYaml(text, path)[0])
    : folder.read(path, 'JavaScript', (text) => readExports(text, path))
  const apps = file?.at('apps').items ?? []
  if (apps.length === 0) return []
  reading.read.push(path)
  const notes: string[] = [t`Assumed 1 machine for ${path}; pass --instances <app>=<machines> for more.`]
  const programs = apps.map((app) => programOf(app, path, notes))
  return [{ name: path, ...classifyContainers(programs), assumed: notes }]
}

function programOf(app: FileValue, path: string, notes: string[]): Container {
  const name = app.at('name').text ?? app.at('script').text ?? 'app'
  const machine = assumed(1, 'one machine')
  const variables = new Map<string, WorkloadVariable>()
  const environments = app.entries.filter(([key]) => key === 'env' || key === 'env_production')
  for (const [key, value] of environments.flatMap(([, environment]) => environment.entries)) {
    if (value.text !== undefined) variables.set(key, { value: value.text, place: value.place })
  }
  const directory = path.split('/').slice(0, -1).join('/')
  const cwd = app.at('cwd').text
  return platformProgram({
    ...{ name, place: app.at('name').isMissing ? app.place : app.at('name').place, variables },
    instances: { usual: machine, most: machine },
    processes: processesOf(app, name, notes),
    words: [...readWords(app.at('script')), ...readWords(app.at('args'))],
    app:
      cwd === undefined || cwd.startsWith('/')
        ? directory
        : [directory, cwd.replace(/^\.?\/?|\/$/g, '')].filter(Boolean).join('/'),
  })
}

/** `max` and 0 start a process for each CPU, and a negative number that many fewer. */
function processesOf(app: FileValue, name: string, notes: string[]): Amount {
  const written = app.at('instances').isMissing ? app.at('exec_instances') : app.at('instances')
  if (written.isMissing) return fixed(1, 'one process for each app', app.place)
  if (written.count !== undefined && written.count > 0) return setTo(written.count, 'instances', written.place)
  const fewer = /^-(\d{1,3})$/.exec(written.text ?? '')?.[1]
  if (written.text !== 'max' && written.count !== 0 && fewer === undefined) {
    notes.push(t`Assumed 1 process of ${name}: its number of instances is computed.`)
    return { ...fixed(1, 'instances', written.place), isAssumed: true }
  }
  const value = Math.max(1, ASSUMED_CPUS - Number(fewer ?? 0))
  notes.push(t`Assumed ${ASSUMED_CPUS} CPUs for instances: ${written.text} of ${name}.`)
  return { ...setTo(value, 'instances', written.place, `instances: ${written.text}`), isAssumed: true }
}

/** The value of `module.exports` or `export default`, as far as it consists of literals. */
function readExports(text: string, file: string): FileValue | undefined {
  const { program } = parseSource(file, text).file
  const constants = new Map<string, ast.Node>()
  let exported: ast.Node | undefined
  for (const statement of program.body) {
    if (statement.type === 'VariableDeclaration') {
      for (const { id, init } of statement.declarations)
        if (id.type === 'Identifier' && init) constants.set(id.name, init)
    }
    if (statement.type === 'ExportDefaultDeclaration') exported = statement.declaration
    if (statement.type === 'ExpressionStatement' && isModuleExports(statement.expression)) {
      exported = statement.expression.right
    }
  }
  return exported && readNode(exported, { file, constants, budget: new ValueBudget() }, 0)
}

function isModuleExports(node: ast.Expression): node is ast.AssignmentExpression {
  if (node.type !== 'AssignmentExpression' || node.left.type !== 'MemberExpression') return false
  const { object, property } = node.left
  return (
    object.type === 'Identifier' &&
    object.name === 'module' &&
    property.type === 'Identifier' &&
    property.name === 'exports'
  )
}

interface SourceContext {
  readonly file: string
  readonly constants: ReadonlyMap<string, ast.Node>
  readonly budget: ValueBudget
}

/** Other expressions become a scalar whose text no number can be. */
function readNode(node: ast.Node, context: SourceContext, depth: number): FileValue {
  const { file, constants, budget } = context
  budget.count(depth)
  const place = { file, line: node.loc?.start.line ?? 1 }
  const inner = (each: ast.Node) => readNode(each, context, depth + 1)
  switch (node.type) {
    case 'ObjectExpression':
      return new FileValue(place, {
        kind: 'map',
        entries: node.properties.flatMap((property): [string, FileValue][] => {
          if (property.type === 'SpreadElement')
            return [...inner(property.argument).entries.map(([k, v]): [string, FileValue] => [k, v])]
          const key = keyOf(property)
          return property.type === 'ObjectProperty' && key !== undefined ? [[key, inner(property.value)]] : []
        }),
      })
    case 'ArrayExpression':
      return new FileValue(place, { kind: 'list', items: node.elements.flatMap((each) => (each ? [inner(each)] : [])) })
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return new FileValue(place, { kind: 'scalar', value: node.value })
    case 'UnaryExpression':
      return new FileValue(place, { kind: 'scalar', value: `${node.operator}${inner(node.argument).text ?? ''}` })
    case 'Identifier': {
      const constant = constants.get(node.name)
      return constant ? inner(constant) : new FileValue(place, { kind: 'scalar', value: node.name })
    }
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return inner(node.expression)
    default:
      return new FileValue(place, { kind: 'scalar', value: 'an expression' })
  }
}

function keyOf(property: ast.ObjectProperty | ast.ObjectMethod): string | undefined {
  if (property.key.type === 'Identifier' && !property.computed) return property.key.name
  return property.key.type === 'StringLiteral' ? property.key.value : undefined
}
