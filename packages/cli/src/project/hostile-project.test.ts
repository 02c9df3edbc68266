import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readProject } from './read-project.ts'
import { settingsIn } from './settings-in-source.ts'

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

    const { compose, pgBouncer, unread } = readProject(project)

    expect(compose?.apps).toEqual([])
    expect(pgBouncer).toBeUndefined()
    expect(unread.filter((line) => line.endsWith('(outside this directory)'))).toHaveLength(3)
  },
)

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

test.each([
  ['pools in one call', `new Pool(${'{max:1},'.repeat(50_000)})`, 50_000],
  ['parentheses', `${'('.repeat(200_000)}max: 1`, 1],
  ['calls in calls', `${'pool(max:1,'.repeat(50_000)}`, 50_000],
  ['unclosed comments', `${'/* '.repeat(130_000)}max: 1`, 0],
  ['unopened type arguments', `${'>('.repeat(200_000)}max: 1`, 1],
  ['blanks', `max${' '.repeat(500_000)}: 1`, 1],
  ['words', 'max '.repeat(200_000), 0],
])('scanning a source takes linear time: %s', (_what, text, found) => {
  // A quadratic scan would exceed the test's timeout.
  expect(settingsIn(text, 'a.ts')).toHaveLength(found)
})

function aliases(): string {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const of = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')
    return `a${level}: &a${level} [${of}]`
  })
  return `${levels.join('\n')}\nservices: *a11\n`
}
