import { budgetOf, type PoolEvent } from '@poolguard/core'
import { expect, test } from 'vitest'
import { guardPrismaUrl, type PrismaUrlOptions } from './guard-prisma-url.ts'

const url = 'postgresql://app:secret@db.example.com/orders'
const neon = 'postgresql://app:secret@ep-cool-1-pooler.eu-central-1.aws.neon.tech/orders'

/** The parameters of the written URL, and the warnings up to their first colon. */
function guarded(given: string, options: PrismaUrlOptions = {}) {
  const warnings: string[] = []
  const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
  const written = new URL(guardPrismaUrl(given, { ...options, onEvent }))
  return { parameters: Object.fromEntries(written.searchParams), warned: warnings.map((text) => text.split(':')[0]) }
}

test.each<[description: string, given: string, options: PrismaUrlOptions, parameters: Record<string, string>]>([
  ['no options', url, {}, {}],
  ['a limit', url, { pool: { max: 5 } }, { connection_limit: '5' }],
  [
    'every setting that the engine has',
    url,
    {
      pool: {
        max: 5,
        acquireTimeoutMillis: 7_000,
        connectTimeoutMillis: 2_500,
        idleTimeoutMillis: 60_000,
        maxLifetimeMillis: 900_000,
      },
    },
    {
      connection_limit: '5',
      pool_timeout: '7',
      connect_timeout: '3',
      max_idle_connection_lifetime: '60',
      max_connection_lifetime: '900',
    },
  ],
  ['an unlimited wait', url, { pool: { acquireTimeoutMillis: Number.POSITIVE_INFINITY } }, { pool_timeout: '0' }],
  [
    'no wait, which the engine would read as unlimited',
    url,
    { pool: { acquireTimeoutMillis: 0 } },
    { pool_timeout: '1' },
  ],
  [
    "the URL's own limit",
    `${url}?connection_limit=9&pool_timeout=20`,
    {},
    { connection_limit: '9', pool_timeout: '20' },
  ],
  ['a limit over the one in the URL', `${url}?connection_limit=9`, { pool: { max: 5 } }, { connection_limit: '5' }],
  ["a limit in another driver's spelling", `${url}?max=4`, {}, { connection_limit: '4' }],
  ['PgBouncer in transaction mode', url, { pooler: 'transaction' }, { pgbouncer: 'true' }],
  ['a pooler in session mode', `${url}?pgbouncer=true&schema=public`, { pooler: 'session' }, {}],
  ['no pooler', `${url}?schema=tenant`, { pooler: 'none' }, { schema: 'tenant' }],
  ["a provider's pooler address", neon, {}, { pgbouncer: 'true' }],
  ["a provider's pooler address and pooler: 'none'", neon, { pooler: 'none' }, {}],
  ['pgbouncer=true and an unknown address', `${url}?pgbouncer=true`, {}, { pgbouncer: 'true' }],
])("given %s, then the URL has the engine's parameters", (_, given, options, parameters) => {
  expect(guarded(given, options).parameters).toEqual(parameters)
})

test('given the serverless preset, then its limits are written, and the URL overrides them', () => {
  expect(guarded(`${url}?pool_timeout=9`, { preset: 'serverless' }).parameters).toMatchObject({
    connection_limit: '2',
    pool_timeout: '9',
    max_idle_connection_lifetime: '5',
  })
})

test('given a URL, then the rest of it is unchanged, the password included', () => {
  expect(guardPrismaUrl(`${url}?schema=public&sslmode=require`, { pool: { max: 5 } })).toBe(
    'postgresql://app:secret@db.example.com/orders?connection_limit=5&schema=public&sslmode=require',
  )
})

test.each<[given: string, options: PrismaUrlOptions, warned: string[]]>([
  [url, { pool: { max: 5, acquireTimeoutMillis: 1_000 }, pooler: 'transaction' }, []],
  [`${url}?connection_limit=9`, { pool: { max: 5 } }, []],
  [url, { pool: { min: 2 } }, ['min']],
  [url, { pool: { maxWaiters: 5, captureStacks: 'never' } }, ['pool.maxWaiters', 'pool.captureStacks']],
  [`${url}?pgbouncer=true`, { pooler: 'none' }, ['pgbouncer']],
  [`${url}?nonsense=1`, {}, ['nonsense']],
])('given %s and %j, then the warnings name %j', (given, options, warned) => {
  expect(guarded(given, options).warned).toEqual(warned)
})

test('given no onEvent, then a process warning is emitted', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  guardPrismaUrl(url, { pool: { min: 2 } })
  expect(await warned).toMatchObject({
    name: 'PoolguardWarning',
    message: expect.stringMatching(/^guardPrismaUrl: min: .*opens connections only on demand/),
  })
})

test.each([
  [undefined, {}, 'Invalid option url: undefined'],
  [
    url,
    { instances: 6 },
    'Invalid option instances: 6. It takes no value here, because guardPrismaUrl does not connect',
  ],
  [url, { fleet: { app: 'orders' } }, 'Invalid option fleet: an object'],
  [url, { headroom: 3 }, 'Invalid option headroom: 3'],
  [url, { lanes: { jobs: {} } }, "the pool of Prisma's engine has no lanes: use PrismaPg"],
  [url, { budget: budgetOf('of a test', { max: 3 }) }, "the pool of Prisma's engine shares no budget: use PrismaPg"],
  [url, { pool: { max: 0 } }, 'Invalid option pool.max: 0'],
  [url, { pool: { maxs: 1 } }, 'Invalid option pool.maxs: 1'],
  [url, { pooler: 'statement' }, "Invalid option pooler: 'statement'"],
  ['mysql://db/orders', {}, 'mysql'],
])('given %s and %j, then the error contains %s', (given, options, message) => {
  expect(() => guardPrismaUrl(given, options as PrismaUrlOptions)).toThrow(message)
})
