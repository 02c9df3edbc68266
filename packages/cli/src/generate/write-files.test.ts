import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeFiles } from './write-files.ts'

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-write-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('creates missing directories', () => {
  const folder = emptyFolder()

  writeFiles(join(folder, 'new'), [{ path: 'a/b.txt', content: 'b' }], false)

  expect(readFileSync(join(folder, 'new/a/b.txt'), 'utf8')).toBe('b')
})

test('writes nothing if a directory in the path is a link out of the target', () => {
  const [folder, outside] = [emptyFolder(), emptyFolder()]
  // Windows lets any user create a junction.
  symlinkSync(outside, join(folder, 'pgbouncer'), 'junction')
  const files = [
    { path: 'a.txt', content: 'a' },
    { path: 'pgbouncer/deep/b.ini', content: 'b' },
  ]

  for (const replace of [false, true]) {
    expect(() => writeFiles(folder, files, replace)).toThrow(/pgbouncer\/deep\/b\.ini would be written outside/)
  }
  expect(existsSync(join(folder, 'a.txt'))).toBe(false)
  expect(existsSync(join(outside, 'deep'))).toBe(false)
})

test('writes through a link that stays inside the target', () => {
  const folder = emptyFolder()
  mkdirSync(join(folder, 'real'))
  symlinkSync(join(folder, 'real'), join(folder, 'linked'), 'junction')

  writeFiles(folder, [{ path: 'linked/a.txt', content: 'a' }], false)

  expect(readFileSync(join(folder, 'real/a.txt'), 'utf8')).toBe('a')
})
