import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readProject } from './read-project.ts'

/** A directory with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-hostile-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

const MANIFEST = '{"dependencies":{"pg":"8.23.1"}}'
/** Runs doctor in a child process, because an endless file could block it. */
function doctor(folder: string): { readonly code: number | null; readonly output: string } {
  const main = join(import.meta.dirname, '../main.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'doctor', '--offline'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, output: stdout + stderr }
}

test.skipIf(process.platform === 'win32')('pipes are reported and do not block (Windows has none)', () => {
  const folder = folderWith({})
  const names = ['.env', 'package.json', 'compose.yaml', 'pgbouncer.ini']
  for (const name of names) execFileSync('mkfifo', [join(folder, name)])

  const { code, output } = doctor(folder)

  expect(code).not.toBeNull()
  for (const name of names) expect(output).toContain(`${name} (not a regular file)`)
})

test.skipIf(process.platform === 'win32')(
  'files outside the project are not read (on Windows, links need a privilege)',
  () => {
    const outside = folderWith({ 'secret.env': 'DATABASE_URL=postgresql://app@elsewhere/db' })
    const project = folderWith({
      'package.json': MANIFEST,
      'compose.yaml': `services:\n  api:\n    image: api\n    env_file: [${JSON.stringify(join('..', outside.split(/[\\/]/).at(-1) ?? '', 'secret.env'))}, ../../dev/zero]\n`,
    })
    symlinkSync(join(outside, 'secret.env'), join(project, 'pgbouncer.ini'))

    const { deployments, pgBouncer, unread } = readProject(project)

    expect(deployments.deployments[0]?.workloads).toEqual([])
    expect(pgBouncer).toBeUndefined()
    expect(unread.filter((line) => line.endsWith('(outside this directory)'))).toHaveLength(3)
  },
)

test('a short file has nothing of a longer one that was read before it', () => {
  const creation = (max: number) => `import pg from 'pg'\nnew pg.Pool({ max: ${max} })\n`
  const project = folderWith({
    'package.json': MANIFEST,
    'a.ts': '// comment\n'.repeat(1_000) + creation(7),
    'b.ts': creation(3),
  })

  expect(readProject(project).pools.map(({ file, max }) => ({ file, max }))).toEqual([
    { file: 'a.ts', max: 7 },
    { file: 'b.ts', max: 3 },
  ])
})

test('a file of more than 1 MB is reported and not read', () => {
  const huge = `${MANIFEST.slice(0, -1)},"x":"${'x'.repeat(1_100_000)}"}`

  expect(readProject(folderWith({ 'package.json': huge })).unread).toEqual(['package.json (larger than 1 MB)'])
})

test.each([
  ['a BOM', { 'package.json': `\ufeff${MANIFEST}` }, []],
  ['dependencies that are not an object', { 'package.json': '{"dependencies":"pg","devDependencies":[{}]}' }, []],
  ['ranges that are not strings', { 'package.json': '{"dependencies":{"@prisma/client":5,"pg":{}}}' }, []],
  ['a name in place of a section', { 'pgbouncer.ini': 'pgbouncer = null\ndatabases = 1\n' }, []],
  ['a prototype as a section', { 'pgbouncer.ini': '[__proto__]\nx = 1\n[constructor]\ny = 1\n' }, []],
  ['invalid services', { 'compose.yaml': 'services: [1, null, {}]\n' }, []],
  ['no mapping', { 'compose.yaml': '- 1\n' }, []],
  ['unclosed brackets', { 'compose.yaml': '['.repeat(20_000) }, ['compose.yaml (invalid YAML)']],
  ['aliases that multiply', { 'compose.yaml': aliases() }, ['compose.yaml (invalid YAML)']],
])('%s: the valid part is read', (_what, files, unread) => {
  expect(readProject(folderWith(files as Record<string, string>)).unread).toEqual(unread)
})

test('control characters in names are escaped', () => {
  const folder = folderWith({
    'package.json': '{"dependencies":{"pg":"\\u001b[2J\\u009b31m8\\n\\nfake line\\u202e"}}',
  })

  const { output } = doctor(folder)

  expect(output).toContain(String.raw`pg \x1b[2J\x9b31m8\x0a\x0afake line\u202e`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
  expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/)
})

test.each<[what: string, file: string, text: string, skipped: string | undefined]>([
  ['many pools', 'db.ts', `import { Pool } from 'pg'\n${'new Pool({ max: 1 })\n'.repeat(30_000)}`, undefined],
  ['pools in one call', 'db.ts', `import { Pool } from 'pg'\nnew Pool(${'{max:1},'.repeat(50_000)})`, undefined],
  ['parentheses', 'db.ts', `import 'pg'\n${'('.repeat(200_000)}max: 1`, 'nested too deeply'],
  ['calls in calls', 'db.ts', `import 'pg'\n${'pool(max,'.repeat(50_000)}`, 'nested too deeply'],
  ['unclosed comments', 'db.ts', `import 'pg'\n${'/* '.repeat(130_000)}max: 1`, 'invalid syntax'],
  ['type arguments', 'db.ts', `import 'pg'\nf(${'<T>('.repeat(40)}x${')'.repeat(40)})`, 'takes too long to parse'],
  ['blanks', 'db.ts', `import { Pool } from 'pg'\nnew Pool({ max${' '.repeat(500_000)}: 1 })`, undefined],
  ['a binary file', 'db.js', `'pg'${'\0'.repeat(100_000)}`, 'invalid syntax'],
  [
    'names in circles',
    'db.ts',
    `import { Pool } from 'pg'\nconst a = b\nconst b = a\nnew Pool({ max: a, ...b })`,
    undefined,
  ],
  [
    'sources in circles',
    'db.ts',
    `import { Pool } from 'pg'\nexport { a } from './db'\nimport { a } from './db'\nnew Pool(a)`,
    undefined,
  ],
  ['many sums', 'db.ts', `import { Pool } from 'pg'\n${sums()}new Pool({ max: s40 })`, undefined],
  ['many spreads', 'db.ts', `import { Pool } from 'pg'\n${spreads()}new Pool(s40)`, undefined],
])('reading a source takes bounded time: %s', (_what, file, text, skipped) => {
  // Exponential time would exceed the test's timeout. A busy machine may reach the bound of time with the large ones.
  const { unread } = readProject(folderWith({ 'package.json': MANIFEST, [file]: text }))

  if (skipped !== undefined) expect(unread).toEqual([expect.stringContaining(`(${skipped})`)])
})

test('a source with a merge conflict is read without the marks', () => {
  const text = `import { Pool } from 'pg'
<<<<<<< HEAD
export const pool = new Pool({ max: 20 })
=======
export const pool = new Pool({ max: 30 })
>>>>>>> branch
`
  const { pools, unread } = readProject(folderWith({ 'package.json': MANIFEST, 'db.ts': text }))

  expect(pools.map(({ max }) => max)).toEqual([20, 30])
  expect(unread).toEqual(['db.ts line 2, 4, 6 (invalid syntax)'])
})

test('a monorepo with hostile patterns takes bounded time', () => {
  const patterns = ['{a,b}'.repeat(30), '**/'.repeat(60), '*'.repeat(150), '!(x)', '[a-z]*']
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${'a/'.repeat(at)}package.json`, MANIFEST]))

  expect(
    readProject(folderWith({ ...files, 'package.json': JSON.stringify({ workspaces: patterns }) })).unread,
  ).toEqual(['part of the sources (too many files)'])
})

test('variables that refer to each other take bounded time', () => {
  const lines = Array.from({ length: 30 }, (_, at) => `A${at}=\${A${at + 1}}\${A${at + 1}}\${A${(at + 7) % 30}}`)
  const { apps } = readProject(folderWith({ 'package.json': MANIFEST, '.env': `${lines.join('\n')}\nB=\${B}` }))

  expect(apps[0]?.environment.used.map(({ file }) => file)).toEqual(['.env'])
})

function aliases(): string {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const of = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')
    return `a${level}: &a${level} [${of}]`
  })
  return `${levels.join('\n')}\nservices: *a11\n`
}

/** Each line needs the one before twice. */
function sums(): string {
  return `const s0 = 1\n${Array.from({ length: 40 }, (_, at) => `const s${at + 1} = s${at} + s${at}\n`).join('')}`
}

function spreads(): string {
  return `const s0 = x\n${Array.from({ length: 40 }, (_, at) => `const s${at + 1} = { ...s${at}, ...s${at} }\n`).join('')}`
}
