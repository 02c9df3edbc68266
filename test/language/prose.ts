import { parseSync, Visitor } from 'oxc-parser'

/** A piece of prose, and the line where it begins. */
export interface Prose {
  readonly text: string
  readonly line: number
}

/** The prose of a source: comments, and texts of more than one word. */
export function proseOfSource(file: string, source: string): readonly Prose[] {
  const { program, comments } = parseSync(file, source)
  const lineOf = (offset: number) => source.slice(0, offset).split('\n').length
  const found: Prose[] = comments.map(({ value, start }) => ({
    text: value.replaceAll(/^\s*\* ?/gm, ''),
    line: lineOf(start),
  }))
  const add = (text: string, start: number) => {
    if (/\w\s+\w/.test(text)) found.push({ text, line: lineOf(start) })
  }
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === 'string') add(node.value, node.start)
    },
    TemplateElement: (node) => add(node.value.cooked ?? '', node.start),
  }).visit(program)
  return found
}

/** The prose of a Markdown document: everything but code and quotations, a paragraph each. */
export function proseOfMarkdown(text: string): readonly Prose[] {
  const withoutCode = text
    .replaceAll(/^(```|~~~)[^\n]*\n[\s\S]*?^\1[^\n]*$/gm, (block) => block.replaceAll(/[^\n]/g, ''))
    .replaceAll(/^>.*$/gm, '')
  return withoutCode.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ text: line, line: index + 1 }]))
}
