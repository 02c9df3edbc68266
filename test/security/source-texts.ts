import { globSync, readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'oxc-parser'

/** One string or template literal of the sources. */
export interface SourceText {
  readonly file: string
  readonly line: number
  /** How many `${...}` it has. */
  readonly holes: number
  /** The text with something in place of each `${...}`. */
  fill(filling: (hole: number) => string): string
}

/** The packages' own sources, without their tests. */
export function sourceFiles(root: URL): string[] {
  return globSync('packages/*/src/**/*.ts', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.endsWith('.test.ts') && !file.includes('/testing/'))
    .sort()
}

/** Every string and template literal in the packages' own sources, without their tests. */
export function sourceTexts(root: URL): SourceText[] {
  return sourceFiles(root).flatMap((file) => textsOf(file, readFileSync(new URL(file, root), 'utf8')))
}

function textsOf(file: string, source: string): SourceText[] {
  const texts: SourceText[] = []
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`)
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length
  new Visitor({
    Literal({ value, start }) {
      if (typeof value === 'string') texts.push({ file, line: lineAt(start), holes: 0, fill: () => value })
    },
    TemplateLiteral({ quasis, start }) {
      const parts = quasis.map(({ value }) => value.cooked ?? value.raw)
      texts.push({
        file,
        line: lineAt(start),
        holes: parts.length - 1,
        fill: (filling) => parts.map((part, index) => (index === 0 ? part : `${filling(index - 1)}${part}`)).join(''),
      })
    },
  }).visit(program)
  return texts
}
