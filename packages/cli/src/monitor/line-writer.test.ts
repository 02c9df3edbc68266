import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CannotRunError } from '../outcome.ts'
import { rotatingFile } from './line-writer.ts'

test('rotates a full file, and keeps the configured number of files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-lines-'))
  const file = join(folder, 'connections.log')
  {
    await using lines = rotatingFile(file, { megabytes: 1, keep: 2 })
    for (let n = 0; n < 50; n++) await lines.write({ n, filler: 'x'.repeat(100_000) })
  }

  const files = (await readdir(folder)).sort()
  expect(files.filter((name) => name.startsWith('connections.log'))).toEqual([
    'connections.log',
    'connections.log.1',
    'connections.log.2',
  ])
  const newest = (await readFile(join(folder, 'connections.log.1'), 'utf8')).trim().split('\n')
  for (const line of newest) expect(JSON.parse(line)).toHaveProperty('filler')
  await rm(folder, { recursive: true })
})

test('a file that cannot be written rejects', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-lines-'))
  await writeFile(join(folder, 'taken'), '')
  const writing = async () => {
    await using lines = rotatingFile(join(folder, 'taken', 'connections.log'), { megabytes: 1, keep: 1 })
    await lines.write({ n: 1 })
  }

  await expect(writing()).rejects.toThrow(CannotRunError)
  await rm(folder, { recursive: true })
})
