import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describePages } from '../../docs/.vitepress/llms.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'
import { GUIDE, PRINTED_GUIDE, printedGuide, readGuide, withSnippets } from './agent-guide.ts'
import { documents, ROOT, readDocument } from './documents.ts'

const MAX_BYTES = 16_000
const guide = readGuide()
const whole = await runPoolguard(['agent-guide'])

/** The argument, and code that only the setup of this stack has. */
const STACKS: readonly (readonly [name: string, code: string])[] = [
  ['prisma', "import { PrismaPg } from '@poolguard/prisma'"],
  ['drizzle', "from '@poolguard/drizzle/node-postgres'"],
  ['Drizzle', "from '@poolguard/drizzle/postgres-js'"],
  ['typeorm', 'new DataSource(migrationDataSource('],
  ['nestjs', 'PoolguardModule.forRoot('],
  ['fastify', "import poolguard from '@poolguard/fastify'"],
  ['express', 'app.use(poolguard.expressErrors())'],
  ['koa', 'app.use(poolguard.koa())'],
  ['hono', 'app.use(poolguard.hono())'],
  ['next', 'export const GET = poolguard.handler'],
  ['next.js', 'export const GET = poolguard.handler'],
  ['nextjs', 'export const GET = poolguard.handler'],
  ['pg', "import { GuardedPool } from '@poolguard/pg'"],
  ['postgres-js', "import { guardPostgres } from '@poolguard/postgres-js'"],
  ['postgres.js', "import { guardPostgres } from '@poolguard/postgres-js'"],
  ['sqlite', "from '@poolguard/sqlite/drizzle'"],
  ['serverless', "preset: 'serverless'"],
  ['shutdown', 'installShutdown('],
  ['health-and-metrics', '/readyz'],
  ['fleets', 'instances: 6'],
  ['settings-to-remove', 'pgbouncer=true'],
  ['commands', 'npx poolguard doctor'],
]

test('the snippets of the guide are those of the documents, and the command prints the guide (pnpm generate:agent-guide)', () => {
  expect(guide).toBe(withSnippets(guide))
  expect(readFileSync(join(ROOT, PRINTED_GUIDE), 'utf8')).toBe(printedGuide(guide))
})

test('every block of code in the guide comes from another document', () => {
  const markers = guide.match(/^<!-- .* -->$/gm) ?? []
  expect(markers.length).toBeGreaterThan(20)
  expect(readDocument(GUIDE, guide).blocks).toHaveLength(markers.length)
  expect(() => withSnippets('<!-- docs/faq.md#nowhere 3 -->\n')).toThrow('docs/faq.md#nowhere has 0 blocks')
})

test('agent-guide prints the code of the guide, which documents.test.ts compiles', () => {
  const codeIn = (text: string) => readDocument(GUIDE, text).blocks.map(({ language, code }) => [language, code])
  expect(codeIn(whole.stdout)).toEqual(codeIn(guide))
  expect(codeIn(whole.stdout).filter(([language]) => language === 'ts').length).toBeGreaterThan(15)
})

test('agent-guide prints the whole guide, in few bytes, without addresses of a machine', () => {
  expect(whole.code).toBe(0)
  expect(Buffer.byteLength(whole.stdout)).toBeLessThanOrEqual(MAX_BYTES)
  expect(whole.stdout).not.toMatch(/<!--|\/home\/|\/Users\/|\/work\/|\/tmp\/|[A-Z]:\\|localhost/)
  for (const [, code] of STACKS) expect(whole.stdout).toContain(code)
})

test.each(STACKS)('agent-guide %s prints that part only, with %s', async (name, code) => {
  const { code: exitCode, stdout } = await runPoolguard(['agent-guide', name])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^## /)
  expect(stdout.match(/^## /gm)).toHaveLength(1)
  expect(stdout).toContain(code)
  expect(whole.stdout).toContain(stdout.trim())
})

test.each(['mysql', '', 'js'])('an unknown part %j is an error that lists the parts', async (name) => {
  const { code, stdout, stderr } = await runPoolguard(['agent-guide', name])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(`The guide has no part "${name}". Its parts: `)
  for (const part of ['prisma', 'next.js', 'fleets']) expect(stderr).toContain(part)
})

test('the links of the printed guide lead to documents and headings of the repository', () => {
  const all = documents()
  const prefix = /^https:\/\/github\.com\/poolguard\/poolguard\/(?:blob|tree)\/main\//
  const links = readDocument('agent-guide', whole.stdout).links.filter((link) => !link.startsWith('#'))
  expect(links.length).toBeGreaterThan(5)
  for (const link of links) {
    expect(link).toMatch(prefix)
    const [path = '', anchor] = link.replace(prefix, '').split('#')
    const document = all.find((each) => each.path === path || each.path === `${path}/README.md`)
    expect(document, link).toBeDefined()
    if (anchor !== undefined) expect(document?.anchors, link).toContain(anchor)
  }
})

test('agent-guide prints JSON and English for programs and for every language', async () => {
  const [json, chinese] = await Promise.all([
    runPoolguard(['agent-guide', '--json']),
    runPoolguard(['agent-guide', '--lang', 'zh']),
  ])
  expect(JSON.parse(json.stdout)).toEqual({ guide: whole.stdout.trimEnd() })
  expect(chinese.stdout).toBe(whole.stdout)
})

test('llms.txt names the guide', async () => {
  expect(await describePages([GUIDE], 'Pools.')).toContain(
    '- [Guide for coding assistants](/agent-guide): How to set up poolguard',
  )
})
