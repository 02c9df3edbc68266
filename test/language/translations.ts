import { readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'oxc-parser'

/** The keys of the texts that a source file translates: t`...` and translate('...'), with `{0}`, `{1}` for values. */
export function translatedTexts(file: string): readonly string[] {
  const { program } = parseSync(file, readFileSync(file, 'utf8'))
  const keys: string[] = []
  const names = new Set<string>()
  new Visitor({
    // Some modules call it by another name: `import { t as text }`.
    ImportSpecifier({ imported, local }) {
      if (imported.type === 'Identifier' && imported.name === 't') names.add(local.name)
    },
    TaggedTemplateExpression({ tag, quasi }) {
      if (tag.type !== 'Identifier' || !names.has(tag.name)) return
      const parts = quasi.quasis.map(({ value }) => value.cooked ?? value.raw)
      keys.push(parts.reduce((joined, part, index) => `${joined}{${index - 1}}${part}`))
    },
    CallExpression({ callee, arguments: [text] }) {
      if (callee.type !== 'Identifier' || callee.name !== 'translate') return
      if (text?.type === 'Literal' && typeof text.value === 'string') keys.push(text.value)
    },
  }).visit(program)
  return keys
}
