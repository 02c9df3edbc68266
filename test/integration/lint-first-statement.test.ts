import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { type GuardedOptions, guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'

const SET = `SET statement_timeout = '7s'`
const REFUSED = { code: 'POOLGUARD_SESSION_STATE' }

/** 1.26 says at login what it is; what 1.24 is takes a look. */
for (const version of ['1.24', '1.26'] as const) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version} in transaction mode, and a pool that has never been used`, () => {
    let server: PostgresServer
    let pooler: PgBouncerServer
    let other: pg.Client
    beforeAll(async () => {
      server = await startPostgres()
      pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 1 } })
      other = new pg.Client(pooler.url)
      await other.connect()
    })
    afterAll(async () => {
      await other.end()
      await pooler.stop()
      await server.stop()
    })

    const closing: (() => Promise<unknown>)[] = []
    const warnings: string[] = []
    afterEach(async () => {
      await Promise.all(closing.splice(0).map((close) => close()))
      warnings.length = 0
    })
    const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)

    function openPool(config: GuardedPoolConfig): GuardedPool {
      const pool = new GuardedPool({ url: pooler.url, onEvent, ...config })
      closing.push(() => pool.end())
      return pool
    }

    function openSql(options: GuardedOptions) {
      const sql = guardPostgres(pooler.url, { onEvent, ...options })
      closing.push(() => sql.end())
      return sql
    }

    /** What another client of the pooler works with, on the same connection to the server. */
    async function seenByOther(): Promise<string> {
      const { rows } = await other.query('show statement_timeout')
      await other.query('reset all')
      return rows[0].statement_timeout
    }

    /** The first statement of a pool, in every way in which it can be sent. */
    const ways: Record<string, (sessionState: 'warn' | 'throw', name: string, max: number) => Promise<unknown>> = {
      'pool.query': (lint, name, max) => openPool({ sessionState: lint, name, max }).query(SET),
      'a client': async (lint, name, max) => {
        const client = await openPool({ sessionState: lint, name, max }).connect()
        return client.query(SET).finally(() => client.release())
      },
      onConnect: (lint, name, max) =>
        openPool({
          sessionState: lint,
          name,
          max,
          onConnect: (client) => client.query(SET),
        } as GuardedPoolConfig).query('select 1'),
      'sql.unsafe': async (lint, name, max) => openSql({ sessionState: lint, name, max }).unsafe(SET),
      'a tagged template': async (lint, name, max) =>
        openSql({ sessionState: lint, name, max })`SET statement_timeout = '7s'`,
      'sql.begin': async (lint, name, max) => openSql({ sessionState: lint, name, max }).begin((tx) => tx.unsafe(SET)),
      'sql.reserve': async (lint, name, max) => {
        const reserved = await openSql({ sessionState: lint, name, max }).reserve()
        return reserved.unsafe(SET).finally(() => reserved.release())
      },
    }

    for (const [way, send] of Object.entries(ways)) {
      for (const max of [1, 10]) {
        test(`then SET by ${way} reaches no other client with lint 'throw' (max ${max})`, async () => {
          const error = await send('throw', `${way} ${max} throw`, max).then(String, (thrown: Error) => thrown)
          // What onConnect throws fails the connection.
          expect((way === 'onConnect' && (error as Error).cause) || error).toMatchObject(REFUSED)
          expect(await seenByOther()).toBe('0')
        })

        test(`then SET by ${way} produces one warning with lint 'warn' (max ${max})`, async () => {
          await send('warn', `${way} ${max} warn`, max)
          await seenByOther()
          expect(warnings).toEqual([expect.stringMatching(/^SET statement_timeout depends on the session/)])
        })
      }
    }

    test("then it is sent with lint 'off'", async () => {
      await openPool({ sessionState: 'off' }).query(SET)
      expect(await seenByOther()).toBe('7s')
      expect(warnings).toEqual([])
    })
  })
}

const describe = await describeWithPgBouncer('1.26')
describe('given PgBouncer 1.26 in session mode, which says so at login', () => {
  test("then the first SET is sent with lint 'throw'", async () => {
    await using server = await startPostgres()
    await using pooler = await startPgBouncer({ version: '1.26', poolMode: 'session', upstream: server })
    const pool = new GuardedPool({ url: pooler.url, sessionState: 'throw' })
    const sql = guardPostgres(pooler.url, { name: 'postgres.js', sessionState: 'throw' })
    expect((await pool.query(SET)).command).toBe('SET')
    expect((await sql.unsafe(SET)).command).toBe('SET')
    await Promise.all([pool.end(), sql.end()])
  })
})
