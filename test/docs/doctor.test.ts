import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './documents.ts'
import { tableRows } from './tables.ts'

const RULES = join(ROOT, 'packages/cli/src/doctor/rules')
const PAGES = join(ROOT, 'docs/doctor')

const rules = readdirSync(RULES)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .map((file) => {
    const text = readFileSync(join(RULES, file), 'utf8')
    const [, id = ''] = /^ {2}id: '([a-z-]+)',$/m.exec(text) ?? []
    const [, severity = ''] = /^ {2}severity: '(\w+)',$/m.exec(text) ?? []
    return [id, severity] as const
  })

test('every rule of doctor has a page, and every page a rule', () => {
  expect(rules.length).toBeGreaterThan(10)
  const pages = readdirSync(PAGES).filter((file) => file !== 'README.md')
  expect(pages.toSorted()).toEqual(rules.map(([id]) => `${id}.md`).toSorted())
})

test.each(rules)('the page of %s has the parts of every page', (id, severity) => {
  const page = readFileSync(join(PAGES, `${id}.md`), 'utf8')
  expect(page).toMatch(new RegExp(`^# ${id}\n\n\\*\\*${severity}\\.\\*\\*`, 'i'))
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
  expect(headings).toEqual(['What it finds', 'Why it matters', 'How to fix it', 'When it does not apply'])
})

test('the index lists every rule with its severity', () => {
  const listed = tableRows('docs/doctor/README.md').map(({ cells }) => [
    /\[([a-z-]+)\]/.exec(cells.Rule ?? '')?.[1],
    cells.Severity,
  ])
  expect(listed.toSorted()).toEqual(rules.toSorted())
})
