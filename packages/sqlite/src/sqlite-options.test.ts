import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { readOptions, type SqliteOptions } from './sqlite-options.ts'

const here = path.resolve('data/app.db')

test.each<[file: string | URL]>([
  ['data/app.db'],
  ['./data/app.db'],
  [here],
  ['file:data/app.db'],
  ['file:./data/app.db'],
  [pathToFileURL(here)],
  [pathToFileURL(here).href],
])('%s is a path', (file) => {
  expect(readOptions({ file })).toMatchObject({ file: { path: here, inMemory: false }, name: 'app' })
})

test('options that are not given have their defaults', () => {
  const { readers, writer, connection, idleInTransactionMillis } = readOptions({ file: 'app.db' })
  expect(readers.max).toBeGreaterThanOrEqual(4)
  expect(readers).toMatchObject({
    min: 0,
    acquireTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    maxLifetimeMillis: Infinity,
  })
  expect(writer).toEqual({ ...readers, max: 1 })
  expect(connection).toEqual({
    ...{ path: path.resolve('app.db'), driver: 'auto', busyTimeoutMillis: 5_000, synchronous: 'normal' },
    ...{ foreignKeys: true, integers: 'number', maxPreparedStatements: 256, walBytesToKeep: 32 * 2 ** 20 },
  })
  expect(readOptions({ file: 'app.db' }).maxWalBytes).toBe(64 * 2 ** 20)
  expect(idleInTransactionMillis).toBe(60_000)
})

test('min and max apply to the readers, and there is one writer', () => {
  const { readers, writer } = readOptions({ file: 'app.db', pool: { max: 4, min: 3, maxWaiters: 7 } })
  expect(readers).toMatchObject({ max: 4, min: 3, maxWaiters: 7 })
  expect(writer).toMatchObject({ max: 1, min: 1, maxWaiters: 7 })
})

test('min without max may exceed the default max', () => {
  expect(readOptions({ file: 'app.db', pool: { min: 9 } }).readers).toMatchObject({ min: 9, max: 9 })
})

test('an in-memory database has one connection, which stays open', () => {
  const { name, writer } = readOptions({ file: ':memory:', pool: { idleTimeoutMillis: 5 } })
  expect(name).toBe('memory')
  expect(writer).toMatchObject({ max: 1, idleTimeoutMillis: Infinity, maxUses: Infinity })
})

test.each<[option: string, options: object]>([
  ['options', null as unknown as object],
  ['file', {}],
  ['pool.limit', { file: 'app.db', pool: { limit: 'cores' } }],
  ['pool.pipeline', { file: 'app.db', pool: { pipeline: 'reads' } }],
  ['maxWalBytes', { file: 'app.db', maxWalBytes: 1_000 }],
  ['maxWalBytes', { file: 'app.db', maxWalBytes: '64MB' }],
  ['file', { file: undefined }],
  ['file', { file: '' }],
  ['file', { file: 'file:' }],
  ['file', { file: 7 }],
  ['file', { file: 'postgresql://localhost/app' }],
  ['file', { file: 'file:app.db?mode=ro' }],
  ['file', { file: new URL('https://example.com/app.db') }],
  ['file', { file: 'file:///data%2Fapp.db' }],
  ['file', { file: new URL('file:///data%2Fapp.db') }],
  ['file', { file: 'file:///%zz.db' }],
  ['name', { name: '' }],
  ['max', { max: 4 }],
  ['idleTimeoutMillis', { idleTimeoutMillis: 4 }],
  ['readers', { readers: 4 }],
  ['pool.max', { pool: { max: 0 } }],
  ['pool.size', { pool: { size: 1 } }],
  ['pool.max', { file: ':memory:', pool: { max: 2 } }],
  ['pool.min', { file: ':memory:', pool: { min: 2 } }],
  ['driver', { driver: 'sqlite3' }],
  ['synchronous', { synchronous: 'off' }],
  ['integers', { integers: 'string' }],
  ['busyTimeoutMillis', { busyTimeoutMillis: -1 }],
  ['busyTimeoutMillis', { busyTimeoutMillis: Infinity }],
  ['busyTimeoutMillis', { busyTimeoutMillis: 2 ** 31 }],
  ['maxPreparedStatements', { maxPreparedStatements: 0 }],
  ['foreignKeys', { foreignKeys: 'on' }],
  ['idleInTransactionMillis', { idleInTransactionMillis: 0 }],
])('a wrong %s is named: %o', (option, options) => {
  const given =
    options === null || 'file' in options || Object.keys(options).length === 0
      ? options
      : { file: 'app.db', ...options }
  expect(() => readOptions(given as SqliteOptions)).toThrow(
    expect.objectContaining({ code: 'POOLGUARD_INVALID_OPTION', option }),
  )
})

test.each(['libsql://app.turso.io?authToken=secret', 'mysql://app:secret@db/app', 'file:app.db?key=secret'])(
  'the error about the file %s hides its secret',
  (file) => {
    expect(() => readOptions({ file })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    )
  },
)

test('given a pool setting outside pool, then the error names its place', () => {
  expect(() => readOptions({ file: 'app.db', max: 4 } as SqliteOptions)).toThrow('set pool.max instead')
})
