import type { PoolEvent } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const warnings: string[] = []
const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
  warnings.length = 0
})

/** The ways in which an app sends one statement through a pool. */
type Send = (text: string) => Promise<unknown>
type Lint = 'warn' | 'throw' | 'off'

const WAYS: Record<string, (lint: Lint) => Promise<Send> | Send> = {
  'pool.query': (lint) => {
    const pool = new GuardedPool({ url: server.url, name: `a ${lint}`, sessionState: lint, onEvent })
    closing.push(() => pool.end())
    return (text) => pool.query(text)
  },
  'pool.query with a callback and a config': (lint) => {
    const pool = new GuardedPool({ url: server.url, name: `b ${lint}`, sessionState: lint, onEvent })
    closing.push(() => pool.end())
    return (text) =>
      new Promise((resolve, reject) =>
        pool.query({ text } as never, undefined as never, (error, result) => (error ? reject(error) : resolve(result))),
      )
  },
  'Drizzle over node-postgres': (lint) => {
    const db = drizzle({ connection: { url: server.url, name: `c ${lint}`, sessionState: lint, onEvent } })
    closing.push(() => db.$client.end())
    return (text) => db.execute(sql.raw(text))
  },
  Prisma: (lint) => {
    const prisma = new PrismaClient({
      adapter: new PrismaPg({ url: server.url, name: `d ${lint}`, sessionState: lint, onEvent }),
    })
    closing.push(() => prisma.$disconnect())
    return (text) => prisma.$executeRawUnsafe(text)
  },
  'postgres.js': (lint) => {
    const client = guardPostgres(server.url, { name: `e ${lint}`, sessionState: lint, onEvent })
    closing.push(() => client.end())
    return async (text) => client.unsafe(text)
  },
  'a tagged template': (lint) => {
    const client = guardPostgres(server.url, { name: `f ${lint}`, sessionState: lint, onEvent })
    closing.push(() => client.end())
    return async (text) => client(Object.assign([text], { raw: [text] }) as unknown as TemplateStringsArray)
  },
  'Drizzle over postgres.js': (lint) => {
    const db = drizzlePostgresJs({ connection: { url: server.url, name: `g ${lint}`, sessionState: lint, onEvent } })
    closing.push(() => db.$client.end())
    return async (text) => db.execute(sql.raw(text))
  },
}
/** Like postgres.js itself, which keeps its error. */
const REJECTS_ALWAYS: readonly string[] = ['postgres.js', 'a tagged template', 'Drizzle over postgres.js']

/** They send what the protocol takes only one statement of. */
const ONE_STATEMENT: readonly string[] = ['Prisma', 'a tagged template']

const told = expect.stringMatching(/^BEGIN was sent through the pool itself.*(?:pool\.connect\(\)|sql\.begin)/)

describe.for(Object.keys(WAYS))('BEGIN through %s', (way) => {
  const open = (lint: Lint) => (WAYS[way] as (typeof WAYS)[string])(lint)

  test('produces one warning that says what to do instead', async () => {
    const send = await open('warn')
    await send('select 1')
    for (const text of ['begin', 'START TRANSACTION', '/* a */ BEGIN ISOLATION LEVEL SERIALIZABLE']) {
      const sent = send(text)
      if (REJECTS_ALWAYS.includes(way)) await expect(sent).rejects.toThrow()
      else await sent
    }
    expect(warnings).toEqual([told])
  })

  test("is rejected with lint 'throw', before it is sent", async () => {
    const send = await open('throw')
    await expect(send('BEGIN')).rejects.toSatisfy((error) =>
      messagesOf(error).includes('BEGIN was sent through the pool'),
    )
    expect(warnings).toEqual([])
  })

  test("produces no warning with lint 'off', nor if the same text ends the transaction", async () => {
    const off = await open('off')
    await off('begin').catch(() => {})
    expect(warnings).toEqual([])
    const send = await open('throw')
    if (!ONE_STATEMENT.includes(way)) await send('BEGIN; select 1; COMMIT')
    await send(`select 'begin; start transaction'`)
    expect(warnings).toEqual([])
  })
})

/** Of an error and its causes. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : ''
}

test('TypeORM: BEGIN through dataSource.query, which releases its connection at once, produces a warning, and its own transactions do not', async () => {
  const source = new DataSource(guardDataSource({ type: 'postgres', url: server.url }, { name: 'h', onEvent }))
  await source.initialize()
  closing.push(() => source.destroy())
  await source.transaction((manager) => manager.query('select 1'))
  const runner = source.createQueryRunner()
  await runner.query('BEGIN')
  await runner.query('COMMIT')
  await runner.release()
  expect(warnings).toEqual([])
  await source.query('BEGIN')
  await source.query('ROLLBACK')
  expect(warnings).toEqual([told])
})

test('a transaction on a client or a reserved connection produces no warning and no error', async () => {
  const pool = new GuardedPool({ url: server.url, name: 'i', sessionState: 'throw', onEvent })
  const js = guardPostgres(server.url, { name: 'j', sessionState: 'throw', onEvent })
  closing.push(
    () => pool.end(),
    () => js.end(),
  )
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query('COMMIT')
  client.release()
  const reserved = await js.reserve()
  await reserved`begin`
  await reserved`commit`
  reserved.release()
  await js.begin((tx) => tx`select 1`)
  expect(warnings).toEqual([])
})

describe.for(['pg', 'postgres.js'])('%s: a connection that is released in a transaction', (driver) => {
  const leave = async (options: object): Promise<void> => {
    if (driver === 'pg') {
      const pool = new GuardedPool({ url: server.url, name: `left ${driver}`, ...options })
      closing.push(() => pool.end())
      for (let n = 0; n < 3; n++) {
        const client = await pool.connect()
        await client.query('begin')
        await client.query('select 1')
        client.release()
      }
      await pool.query('select 1')
      return
    }
    const js = guardPostgres(server.url, { name: `left ${driver}`, ...options })
    closing.push(() => js.end())
    for (let n = 0; n < 3; n++) {
      const reserved = await js.reserve()
      await reserved`begin`
      reserved.release()
    }
    await js`select 1`
  }

  test.for([
    ['without onEvent it is a warning of the process, once', {}, 1],
    ['with onEvent it is only an event', { onEvent }, 0],
  ] as const)('%s', async ([, options, times]) => {
    const seen: string[] = []
    const hear = (warning: Error) =>
      /released a connection with an open transaction/.test(warning.message) && seen.push(warning.message)
    process.on('warning', hear)
    await leave(options)
    await new Promise(setImmediate)
    process.off('warning', hear)
    expect(seen).toHaveLength(times)
    for (const message of seen) expect(message).toContain(`pool "left ${driver}"`)
  })
})
