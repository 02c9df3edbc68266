import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT, readDocument } from './documents.ts'
import { tableRows } from './tables.ts'

const RULES = join(ROOT, 'packages/cli/src/doctor/rules')
const PAGES = join(ROOT, 'docs/doctor')

const rules = readdirSync(RULES)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .map((file) => {
    const text = textOf(file)
    const [, id = ''] = /^ {2}id: '([a-z-]+)',$/m.exec(text) ?? []
    const [, severity = ''] = /^ {2}severity: '(\w+)',$/m.exec(text) ?? []
    return [id, severity] as const
  })

test.each([PAGES, join(ROOT, 'docs/zh/doctor')])(
  'every rule of doctor has a page in %s, and every page a rule',
  (folder) => {
    expect(rules.length).toBeGreaterThan(10)
    const pages = readdirSync(folder).filter((file) => file !== 'README.md')
    expect(pages.toSorted()).toEqual(rules.map(([id]) => `${id}.md`).toSorted())
  },
)

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

test.each(['README.md', 'README.zh-CN.md', 'docs/json.md'])('%s shows findings as doctor prints them', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const printed = [
    ...text.matchAll(/^(?:critical|warning) {2}(?<title>.+) \((?<rule>[a-z-]+)\)\n.*\n {2}Why: {4}(?<why>.+)$/gm),
  ]
  const shown = [...printed.map(({ groups = {} }) => groups), ...findingsIn(path)]
  expect(shown.length).toBeGreaterThan(0)
  for (const { rule, title, why } of shown) {
    const source = textOf(`${rule}.ts`)
    expect(source).toContain(title)
    expect(source).toContain(why)
  }
})

function textOf(file: string): string {
  return readFileSync(join(RULES, file), 'utf8')
}

/** The findings in the JSON that a document shows. */
function findingsIn(path: string): readonly Readonly<Record<string, string>>[] {
  const { blocks } = readDocument(path, readFileSync(join(ROOT, path), 'utf8'))
  return blocks
    .filter(({ language }) => language === 'json')
    .flatMap(({ code }) => (JSON.parse(code) as { findings?: readonly Record<string, string>[] }).findings ?? [])
}
