import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compile } from './compile.ts'
import { examplesOf } from './docstrings.ts'
import { documents, ROOT, targetOf } from './documents.ts'
import { CHINESE_PAGES } from './translated-pages.ts'

const all = documents()

test('every link within the repository leads somewhere', () => {
  const broken = all.flatMap((document) =>
    document.links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const { path, anchor } = targetOf(document, link)
        if (!existsSync(join(ROOT, path))) return true
        return anchor !== '' && path.endsWith('.md') && !all.find((each) => each.path === path)?.anchors.has(anchor)
      })
      .map((link) => `${document.path}: ${link}`),
  )
  expect(broken).toEqual([])
})

test('every TypeScript that is shown compiles', async () => {
  // Translations have the same code: translated-pages.test.ts.
  const blocks = all.filter(({ path }) => !CHINESE_PAGES.test(path)).flatMap(({ blocks }) => blocks)
  expect(blocks.filter(({ language }) => language === 'ts').length).toBeGreaterThan(40)
  expect(await compile(blocks)).toEqual([])
}, 120_000)

test('every JSON that is shown can be read', () => {
  for (const { language, code } of all.flatMap(({ blocks }) => blocks)) {
    if (language === 'json') expect(() => JSON.parse(code)).not.toThrow()
  }
})

test('the API reference can be made, without a warning, and its examples compile', async () => {
  const { code, output } = await runTypeDoc()
  expect([code, output]).toEqual([0, expect.not.stringContaining('warning')])
  expect(existsSync(join(ROOT, 'docs/generated/api/index.html'))).toBe(true)
  const examples = examplesOf(JSON.parse(readFileSync(join(ROOT, 'docs/generated/api.json'), 'utf8')))
  expect(examples.length).toBeGreaterThan(50)
  expect(await compile(examples)).toEqual([])
}, 240_000)

async function runTypeDoc(): Promise<{ readonly code: number | null; readonly output: string }> {
  const docs = join(ROOT, 'docs')
  const bin = join(docs, 'node_modules/typedoc/bin/typedoc')
  const child = spawn(process.execPath, [bin], { cwd: docs })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  return { code, output }
}
