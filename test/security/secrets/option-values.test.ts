import { HealthMonitor, InvalidOptionError } from '@poolguard/core'
import { ConnectionString } from '@poolguard/core/postgres'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import poolguardFastify from '@poolguard/fastify'
import { PoolguardModule } from '@poolguard/nestjs'
import { guardPool, observe, pgBouncerSource, postgresSource } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { guardPrismaUrl, inBatches, PrismaPg } from '@poolguard/prisma'
import { SqlitePool } from '@poolguard/sqlite'
import { guardDataSource, migrationDataSource } from '@poolguard/typeorm'
import Fastify from 'fastify'
import pg from 'pg'
import { DataSource } from 'typeorm'
import { expect, test } from 'vitest'
import { startApp } from '../../integration/nestjs-app.ts'
import { expectNoLeaks } from './expect-no-leaks.ts'
import { facesOf } from './faces.ts'
import type { Output } from './find-leaks.ts'
import { lookAtOptions } from './subjects.ts'
import { TEXT_SHAPES } from './text-shapes.ts'
import { VALUE_SHAPES } from './value-shapes.ts'

const URL_OF_NOTHING = 'postgres://app@127.0.0.1:1/db'

/** Options of all packages, under the names that stand in errors. */
const OPTIONS = [
  ...[
    'pool',
    'pool.max',
    'pool.min',
    'pool.acquireTimeoutMillis',
    'pool.captureStacks',
    'pooler',
    'preset',
    'instances',
  ],
  ...['headroom', 'fleet', 'fleet.app', 'fleet.intervalMillis', 'lint', 'queryAfterRelease', 'waitForServer'],
  ...[
    'prepareThreshold',
    'maxPreparedStatements',
    'prepareTypes',
    'resetOnRelease',
    'instance',
    'acquireTimeoutMillis',
    'consoleUrl',
  ],
]

/** Short words and numbers may be shown, and of a name that is one everything. */
const SHAPES = [
  ...VALUE_SHAPES,
  ...TEXT_SHAPES.filter(({ name }) => !name.includes('encoded')).map(({ text, ...shape }) => ({
    ...shape,
    value: text as unknown,
  })),
]

/** An object with the value at a path. */
function optionsWith(path: string, value: unknown): Record<string, unknown> {
  const [outer = '', inner] = path.split('.')
  return { [outer]: inner === undefined ? value : { [inner]: value } }
}

/** The error that is thrown, or otherwise the pool that is created, which is closed. */
async function attempt(what: string, make: () => unknown): Promise<Output[]> {
  try {
    const made = await make()
    const ended = made as { end?: () => Promise<unknown>; close?: () => Promise<unknown> } | undefined
    await Promise.allSettled([ended?.end?.() ?? ended?.close?.()])
    return [{ where: what, text: 'accepted' }]
  } catch (error) {
    return facesOf(`${what}, error`, error)
  }
}

const MAKERS: Readonly<Record<string, (options: never) => unknown>> = {
  guardPool: (options: object) => guardPool({ url: URL_OF_NOTHING, ...options }),
  guardPostgres: (options: object) => guardPostgres({ url: URL_OF_NOTHING, ...options }),
  PrismaPg: (options: object) => new PrismaPg({ url: URL_OF_NOTHING, ...options }),
  guardPrismaUrl: (options: object) => guardPrismaUrl(URL_OF_NOTHING, options),
  guardDataSource: (options: object) => guardDataSource({ type: 'postgres', url: URL_OF_NOTHING }, options),
  'drizzle of pg': (options: object) => drizzle({ connection: { url: URL_OF_NOTHING, ...options } }).$client,
  'drizzle of postgres.js': (options: object) =>
    drizzlePostgresJs({ connection: { url: URL_OF_NOTHING, ...options } }).$client,
  'drizzle, misplaced': (options: object) => drizzle({ connection: URL_OF_NOTHING, ...options } as never).$client,
  SqlitePool: (options: object) => new SqlitePool({ file: ':memory:', ...options }),
}

test.each(Object.keys(MAKERS))('%s shows no secret that is given for an option', async (maker) => {
  await expectNoLeaks(SHAPES, async ({ value }) => {
    const outputs = OPTIONS.map((option) =>
      attempt(`${maker}, ${option}`, () => MAKERS[maker]?.(optionsWith(option, value) as never)),
    )
    return (await Promise.all(outputs)).flat()
  })
})

/** What is made of a value itself. */
const PLACES: Readonly<Record<string, (value: never) => unknown>> = {
  'guardPool()': (value: never) => guardPool(value),
  'guardPostgres()': (value: never) => guardPostgres(value),
  'guardPrismaUrl()': (value: never) => guardPrismaUrl(value),
  'PrismaPg()': (value: never) => new PrismaPg(value),
  'PrismaPg({ url })': (value: never) => new PrismaPg({ url: value }),
  'guardDataSource()': (value: never) => guardDataSource(value),
  'guardDataSource({ url })': (value: never) => guardDataSource({ type: 'postgres', url: value }),
  'guardDataSource({ type })': (value: never) => guardDataSource({ type: value }),
  'guardDataSource({ extra })': (value: never) =>
    guardDataSource({ type: 'postgres', extra: { connectionString: value } }),
  'guardDataSource({ replication })': (value: never) =>
    guardDataSource({ type: 'postgres', replication: { master: { url: value }, slaves: [] } }),
  'migrationDataSource()': (value: never) => migrationDataSource({ type: 'postgres', url: URL_OF_NOTHING }, value),
  'drizzle()': (value: never) => drizzle(value).$client,
  'drizzle({ connection })': (value: never) => drizzle({ connection: value }).$client,
  'SqlitePool()': (value: never) => new SqlitePool(value),
  'SqlitePool({ file })': (value: never) => new SqlitePool({ file: value }),
  'observe()': (value: never) => observe(value),
  'observe(, {})': (value: never) => observe(new pg.Pool(), { name: value }),
  'postgresSource()': (value: never) => postgresSource(value).read(),
  'pgBouncerSource()': (value: never) => pgBouncerSource(value).read(),
  'postgresSource(, {})': (value: never) => postgresSource(URL_OF_NOTHING, { source: value }),
  'inBatches()': (value: never) => inBatches({} as never, [], value),
  'HealthMonitor()': (value: never) => new HealthMonitor({ thresholds: value }),
}

const SQLITE_FILES = new Set(['SqlitePool()', 'SqlitePool({ file })'])

test.each(Object.keys(PLACES))('%s shows no secret in its argument', async (place) => {
  // A text without a scheme is the name of a file.
  const shapes = SQLITE_FILES.has(place)
    ? SHAPES.filter(({ value }) => typeof value !== 'string' || /^[a-z+]+:/i.test(value))
    : SHAPES
  await expectNoLeaks(shapes, ({ value }) => attempt(place, () => PLACES[place]?.(value as never)))
})

test.each([
  ...['adminToken', 'metrics', 'metrics.path', 'metrics.sources', 'health', 'ready', 'admin', 'details', 'labels'],
  ...['shedLoad', 'shedLoad.waiters', 'closeDelayMillis', 'thresholds', 'pool', 'pools', 'name', 'mapErrors'],
])('Fastify shows no secret that is given for %s', async (option) => {
  await expectNoLeaks(SHAPES, ({ value }) =>
    attempt(option, async () => {
      const app = Fastify()
      try {
        await app.register(poolguardFastify, { admin: true, ...optionsWith(option, value) } as never)
        await app.ready()
      } finally {
        await app.close()
      }
    }),
  )
})

test.each(['url', 'pools', 'health', 'metrics', 'metrics.path', 'metrics.guards', 'fleet', 'instances', 'poolNames'])(
  'NestJS shows no secret that is given for %s',
  async (option) => {
    await expectNoLeaks(SHAPES, ({ value }) =>
      attempt(option, async () => {
        const imports = [PoolguardModule.forRoot(optionsWith(option, value) as never)]
        const running = await startApp('fastify', { imports })
        await running.app.close()
      }),
    )
  },
)

test('an error about an option holds no value, in any form of output', async () => {
  await expectNoLeaks(SHAPES, ({ value }) => {
    const error = new InvalidOptionError('adminToken', value, 'a token')
    return [...facesOf('error', error), ...facesOf('error within', error.within('outer'))]
  })
})

test('the parts of a connection string are shown only where they are plain names', async () => {
  await expectNoLeaks(
    TEXT_SHAPES.filter(({ text }) => /[@:=%]/.test(text)),
    async ({ text }) => [
      ...(await lookAtOptions('host', () => new ConnectionString({ hosts: [{ host: text }] }))),
      ...(await lookAtOptions('database', () => new ConnectionString({ database: text }))),
      ...(await lookAtOptions('password', () => new ConnectionString({ password: text }))),
      ...(await lookAtOptions('parameter', () => new ConnectionString({ parameters: [['options', text]] }))),
    ],
  )
})

test('a DataSource shows no secret of its own options', async () => {
  await expectNoLeaks(TEXT_SHAPES, async ({ text }) => {
    let dataSource: DataSource
    try {
      dataSource = new DataSource(
        guardDataSource({ type: 'postgres', url: text, extra: { connectionTimeoutMillis: 200 } }),
      )
    } catch (error) {
      return facesOf('guardDataSource, error', error)
    }
    return attempt('DataSource', () => dataSource.initialize())
  })
  expect(true).toBe(true)
})
