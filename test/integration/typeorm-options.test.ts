import type { PoolEvent } from '@poolguard/core'
import { type GuardOptions, guardDataSource, guardedPools, type PostgresOptions } from '@poolguard/typeorm'
import pg from 'pg'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { accounts, makeTables, payments } from './typeorm-model.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeTables(server)
})
afterAll(() => server.stop())

async function connect(options: Partial<PostgresOptions> = {}, guard?: GuardOptions): Promise<DataSource> {
  const dataSource = new DataSource(
    guardDataSource({ type: 'postgres', url: server.url, entities: [accounts, payments], ...options }, guard),
  )
  onTestFinished(async () => {
    if (dataSource.isInitialized) await dataSource.destroy()
  })
  return dataSource.initialize()
}

describe("given TypeORM's own options", () => {
  test('when they concern the pool, then they keep their meaning, and those of poolguard win', async () => {
    const seen: string[] = []
    const dataSource = await connect(
      {
        poolSize: 4,
        connectTimeoutMS: 2_000,
        applicationName: 'orders',
        parseInt8: true,
        extra: { min: 1, idleTimeoutMillis: 7_000, onConnect: () => seen.push('onConnect') },
        poolErrorHandler: () => seen.push('lost'),
      },
      { pool: { max: 3 } },
    )
    onTestFinished(() => {
      pg.defaults.parseInt8 = false
    })
    const [pool] = guardedPools(dataSource)
    expect(pool.settings.values).toMatchObject({
      max: 3,
      min: 1,
      acquireTimeoutMillis: 2_000,
      connectTimeoutMillis: 2_000,
      idleTimeoutMillis: 7_000,
    })
    expect(await dataSource.query(`select current_setting('application_name') as name, 1::bigint as one`)).toEqual([
      { name: 'orders', one: 1 },
    ])
    await pool.ready()
    await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'orders'`)
    await waitUntil(() => seen.includes('lost'), { what: 'poolErrorHandler gets the lost connection' })
    expect(seen[0]).toBe('onConnect')
  })

  test('when the password is a function, then it is called for each connection', async () => {
    const { port, host } = server
    const { password } = new URL(server.url)
    let asked = 0
    const dataSource = new DataSource(
      guardDataSource({
        type: 'postgres',
        host,
        port,
        username: 'app',
        database: 'app',
        password: async () => {
          asked++
          return password
        },
      }),
    )
    await dataSource.initialize()
    await Promise.all([dataSource.query('select pg_sleep(0.05)'), dataSource.query('select pg_sleep(0.05)')])
    const [pool] = guardedPools(dataSource)
    await waitUntil(() => pool.snapshot().stats.connecting === 0, { what: 'all are connected' })
    expect(asked).toBe(pool.snapshot().stats.opened)
    await dataSource.destroy()
  })

  test('when the driver is given, then it is the one whose pool is guarded', async () => {
    class AppPool extends pg.Pool {}
    const dataSource = await connect({ driver: { ...pg, Pool: AppPool } })
    expect(guardedPools(dataSource)[0]).toBeInstanceOf(AppPool)
  })

  test('when the cache is on, then TypeORM makes and uses its own', async () => {
    const dataSource = await connect({ cache: true, synchronize: false })
    await server.query('grant create on schema public to app')
    await dataSource.synchronize()
    const cached = () => dataSource.getRepository(accounts).count({ cache: { id: 'accounts', milliseconds: 60_000 } })
    expect(await cached()).toBe(10)
    await dataSource.query(`insert into account values (12, 'owner 12', 100)`)
    expect(await cached()).toBe(10)
    await dataSource.queryResultCache?.remove(['accounts'])
    expect(await cached()).toBe(11)
    await dataSource.query('delete from account where id = 12')
  })
})

describe('given a URL', () => {
  test('when it has settings for the pool, then they apply', async () => {
    const dataSource = await connect({ url: `${server.url}?connection_limit=3&pool_timeout=4&statement_timeout=9s` })
    expect(guardedPools(dataSource)[0].settings.values).toMatchObject({ max: 3, acquireTimeoutMillis: 4_000 })
    expect(await dataSource.query('show statement_timeout')).toEqual([{ statement_timeout: '9s' }])
  })

  test('when the password is written raw, then TypeORM and pg read the same', async () => {
    await server.query(`create role raw login password 'p/w?#@%'`)
    const url = server.url.replace(/\/\/[^@]*@/, '//raw:p/w?#@%@')
    const dataSource = await connect({ url, entities: [] })
    expect(dataSource.driver.database).toBe('app')
    expect(await dataSource.query('select current_user as name')).toEqual([{ name: 'raw' }])
  })

  test('when it names a schema, then tables are looked for there', async () => {
    await server.query('create schema tenant authorization app')
    await server.query('create table tenant.account (like public.account)')
    await server.query('alter table tenant.account owner to app')
    const dataSource = await connect({ url: `${server.url}?schema=tenant` })
    expect(await dataSource.getRepository(accounts).count()).toBe(0)
    expect(await dataSource.driver.schema).toBe('tenant')
  })

  test('when a parameter does nothing, then that is said', async () => {
    const warnings: string[] = []
    const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
    await connect({ url: `${server.url}?pgbouncer=true` }, { onEvent })
    expect(warnings).toEqual([expect.stringContaining('pgbouncer')])
  })
})
