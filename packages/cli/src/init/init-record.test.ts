import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { applyFiles, RECORD, undoFiles } from './init-record.ts'
import { applySplices, splicesBetween } from './splices.ts'

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-record-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const read = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8')
const ENV =
  'A=1\nDATABASE_URL=postgres://app:s3cret-word@db/app?pgbouncer=true&x=1\nDIRECT_URL=postgres://app:s3cret-word@db/app?pgbouncer=true\n'

test('undo restores every byte, and the record contains no secret', () => {
  const folder = folderWith({ '.env': ENV, 'db.ts': 'one\r\ntwo\r\n' })
  chmodSync(join(folder, '.env'), 0o600)
  const after = ENV.replaceAll('pgbouncer=true&', '').replaceAll('?pgbouncer=true', '')
  const files = [
    { file: '.env', before: ENV, after },
    { file: 'db.ts', before: 'one\r\ntwo\r\n', after: 'zero\r\none\r\n2\r\n' },
  ]

  applyFiles(folder, files, [{ folder: '', packages: ['@poolguard/pg'] }])
  expect(read(folder, '.env')).toBe(after)
  expect(read(folder, RECORD)).not.toContain('s3cret')
  if (process.platform !== 'win32') expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)

  expect(undoFiles(folder).installs).toEqual([{ folder: '', packages: ['@poolguard/pg'] }])
  expect(read(folder, '.env')).toBe(ENV)
  expect(read(folder, 'db.ts')).toBe('one\r\ntwo\r\n')
  expect(existsSync(join(folder, RECORD))).toBe(false)
})

test('runs are undone one after the other, the last one first', () => {
  const folder = folderWith({ 'a.ts': '1' })
  applyFiles(folder, [{ file: 'a.ts', before: '1', after: '2' }], [])
  applyFiles(folder, [{ file: 'a.ts', before: '2', after: '3' }], [])

  undoFiles(folder)
  expect(read(folder, 'a.ts')).toBe('2')
  undoFiles(folder)
  expect(read(folder, 'a.ts')).toBe('1')
  expect(() => undoFiles(folder)).toThrow('There is nothing to undo')
})

test('a file that has changed since stays, and so do all others', () => {
  const folder = folderWith({ 'a.ts': '1', 'b.ts': '1' })
  applyFiles(
    folder,
    [
      { file: 'a.ts', before: '1', after: '2' },
      { file: 'b.ts', before: '1', after: '2' },
    ],
    [],
  )
  writeFileSync(join(folder, 'b.ts'), 'mine')

  expect(() => undoFiles(folder)).toThrow('Changed in the meantime: b.ts. Nothing was undone')
  expect(read(folder, 'a.ts')).toBe('2')
})

test('a file that changes while a person decides is not overwritten', () => {
  const folder = folderWith({ 'a.ts': 'mine' })
  expect(() => applyFiles(folder, [{ file: 'a.ts', before: '1', after: '2' }], [])).toThrow('Changed in the meantime')
  expect(read(folder, 'a.ts')).toBe('mine')
})

test.each([
  ['no JSON', '{'],
  ['no runs', '{}'],
  ['a path out of the project', '{"runs":[{"files":[{"file":"../x","hash":"","splices":[]}],"installs":[]}]}'],
  ['another package', '{"runs":[{"files":[],"installs":[{"folder":"","packages":["--evil"]}]}]}'],
  ['a directory out of the project', '{"runs":[{"files":[],"installs":[{"folder":"../x","packages":[]}]}]}'],
])('refuses a record with %s', (_what, text) => {
  expect(() => undoFiles(folderWith({ [RECORD]: text }))).toThrow(/not valid|Changed in the meantime/)
})

test('splices turn any text into any other', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', '\n', '\r\n', 'url?x=1'), { maxLength: 30 })
    .map((parts) => parts.join(''))
  fc.assert(fc.property(text, text, (from, to) => applySplices(from, splicesBetween(from, to)) === to))
})
