import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { findSqlite, sqlitePath } from './sqlite-address.ts'

const folder = mkdtempSync(join(tmpdir(), 'poolguard-sqlite-'))
mkdirSync(join(folder, 'prisma'))
writeFileSync(join(folder, 'prisma/dev.db'), '')

test.each([
  ['file:quota.db', join(folder, 'quota.db')],
  ['file:./quota.db?connection_limit=1', join(folder, 'quota.db')],
  [pathToFileURL(join(folder, 'quota.db')).href, join(folder, 'quota.db')],
  ['sqlite://quota.db', join(folder, 'quota.db')],
  ['sqlite:/data/quota.db', resolve('/data/quota.db')],
  ['C:\\data\\quota.db', resolve(folder, 'C:\\data\\quota.db')],
  ['./data/quota.sqlite3', join(folder, 'data/quota.sqlite3')],
  ['file:./dev.db', join(folder, 'prisma/dev.db')],
  ['postgres://app@db/app', undefined],
  ['postgres://app@db/app.db', undefined],
  ['http://127.0.0.1/quota.db', undefined],
  ['db', undefined],
])('%s is the file %s', (address, path) => {
  expect(sqlitePath(address, folder)).toBe(path)
})

test('a URL that is no path on this system is an error with the reason', () => {
  expect(() => sqlitePath('file:///data%2Fquota.db', folder)).toThrow(/names no file on this system: .*%2f|encoded/i)
})

test.each<[given: string, env: Record<string, string>, source: string | undefined]>([
  ['DATABASE_URL', { DATABASE_URL: 'file:quota.db' }, 'DATABASE_URL'],
  ['DATABASE_FILE', { DATABASE_FILE: 'data/quota' }, 'DATABASE_FILE'],
  ['PostgreSQL beside a cache in SQLite', { DATABASE_URL: 'postgres://db/app', SQLITE_FILE: 'cache.db' }, undefined],
  ['no variable', {}, undefined],
])('given %s, finds %s', (_, env, source) => {
  expect(findSqlite(undefined, folder, env)?.source).toBe(source)
})
