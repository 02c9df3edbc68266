import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './documents.ts'
import { sourceTexts } from './sources.ts'
import { codeIn, tableRows } from './tables.ts'

const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
const sources = sourceTexts()

const classes = unique(/^(?:export )?(?:abstract )?class (\w+) extends \w*Error \{$/gm)
const codes = unique(/\bcode\b[^'\n]{0,20}'(POOLGUARD_[A-Z_]+)'/g)

test('every class of an error has a heading or a row, and every heading and row a class', () => {
  expect(classes.length).toBeGreaterThan(20)
  const rows = tableRows('docs/errors.md').map(({ cells }) => codeIn(cells.Class))
  const shown = [...headings(), ...rows.filter((name) => /^\w+$/.test(name))]
  expect(shown.toSorted()).toEqual(classes)
})

test('every code is in the table, beside the class that has it, and no other code is', () => {
  const shown = tableRows('docs/errors.md').map(({ cells }) => codeIn(cells.Code))
  expect(shown.filter((code) => code.startsWith('POOLGUARD_')).toSorted()).toEqual(codes)
})

test.each(
  tableRows('docs/errors.md')
    .filter(({ cells }) => codeIn(cells.Code).startsWith('POOLGUARD_'))
    .map(({ cells }) => [codeIn(cells.Code), /\[(\w+)\]/.exec(cells.Class ?? '')?.[1] ?? ''] as const),
)('%s is the code of %s', (code, name) => {
  const source = sources.find((text) => text.includes(`class ${name} extends`)) ?? ''
  const body = source.slice(source.indexOf(`class ${name} extends`))
  expect(body.slice(0, body.indexOf('\n}'))).toContain(`'${code}'`)
})

function headings(): string[] {
  return [...page.matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name)
}

function unique(pattern: RegExp): string[] {
  const found = sources.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name))
  return [...new Set(found)].toSorted()
}
