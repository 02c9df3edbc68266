import { readFileSync } from 'node:fs'
import { type Expression, type Program, parseSync, Visitor } from 'oxc-parser'
import { analyse } from 'scslre'
import { sourceFiles } from './source-texts.ts'

/** One regular expression of the sources. */
export interface SourceExpression {
  readonly file: string
  readonly line: number
  readonly pattern: string
  readonly flags: string
}

/** Every regular expression in the packages' own sources, without their tests: literals, and what `RegExp` and `UnicodePattern` are called with. */
export function sourceExpressions(root: URL): SourceExpression[] {
  return sourceFiles(root).flatMap((file) => expressionsOf(file, readFileSync(new URL(file, root), 'utf8')))
}

export function expressionsOf(file: string, source: string): SourceExpression[] {
  const found: SourceExpression[] = []
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`)
  const add = (start: number, pattern: string, flags: string) =>
    found.push({ file, line: source.slice(0, start).split('\n').length, pattern, flags })
  const addCall = (start: number, callee: Expression, [pattern, flags]: readonly unknown[]) => {
    if (callee.type !== 'Identifier' || !['RegExp', 'UnicodePattern'].includes(callee.name)) return
    const given = flags === undefined ? '' : textOf(flags as Expression, program)
    add(start, textOf(pattern as Expression, program), callee.name === 'UnicodePattern' ? 'u' : given)
  }
  new Visitor({
    Literal(node) {
      if ('regex' in node) add(node.start, node.regex.pattern, node.regex.flags)
    },
    NewExpression: (node) => addCall(node.start, node.callee, node.arguments),
    CallExpression: (node) => addCall(node.start, node.callee, node.arguments),
  }).visit(program)
  return found
}

/** Stands for a part that is known only when the code runs. It may be a number of repetitions, or a text. */
const UNKNOWN = '1'

/** The part of a text that is known from the source: literals, templates and constants of the same file. */
function textOf(node: Expression, program: Program): string {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type === 'Identifier') {
    const value = constantOf(node.name, program)
    return value ? textOf(value, program) : UNKNOWN
  }
  const isRaw = node.type === 'TaggedTemplateExpression'
  const template = isRaw ? node.quasi : node
  if (template.type !== 'TemplateLiteral') return UNKNOWN
  return template.quasis
    .map(({ value }, i) => {
      const hole = template.expressions[i]
      return (isRaw ? value.raw : (value.cooked ?? value.raw)) + (hole ? textOf(hole, program) : '')
    })
    .join('')
}

function constantOf(name: string, { body }: Program): Expression | undefined {
  for (const statement of body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declared?.type !== 'VariableDeclaration' || declared.kind !== 'const') continue
    const found = declared.declarations.find(({ id }) => id.type === 'Identifier' && id.name === name)
    if (found?.init) return found.init
  }
  return undefined
}

/**
 * Why a regular expression may take more than linear time; empty where it takes linear time. It finds quantifiers that trade
 * characters with each other or with the search for the beginning of a match, as `no-super-linear-backtracking` and
 * `no-super-linear-move` of eslint-plugin-regexp do. It does not find a prefix of fixed length that repeats within the text
 * that a later quantifier covers, as in `/ab[^c]*c/`: cut foreign texts before you search them.
 */
export function superlinearParts({ pattern, flags }: Pick<SourceExpression, 'pattern' | 'flags'>): string[] {
  return analyse({ source: pattern, flags }).reports.map((report) => {
    const quantifiers = report.type === 'Trade' ? [report.startQuant, report.endQuant] : [report.quant]
    return `${report.exponential ? 'exponential' : 'quadratic'} at ${quantifiers.map(({ raw }) => raw).join(' and ')}`
  })
}

/** A line for each regular expression of the sources that may take more than linear time. */
export function superlinearExpressions(expressions: readonly SourceExpression[]): string[] {
  return expressions.flatMap((expression) =>
    superlinearParts(expression).map((why) => `${expression.file}:${expression.line}: ${why}`),
  )
}
