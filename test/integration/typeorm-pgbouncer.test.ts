import type { PoolEvent } from '@poolguard/core'
import {
  type GuardOptions,
  guardDataSource,
  guardedPools,
  migrationDataSource,
  type PostgresOptions,
} from '@poolguard/typeorm'
import type pg from 'pg'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'
import { accounts, makeTables, payments } from './typeorm-model.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeTables(server)
  await server.query('grant create on schema public to app')
})
afterAll(() => server.stop())

class AddRemark implements MigrationInterface {
  readonly name = 'AddRemark1700000000000'
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('select pg_advisory_lock(1)')
    await runner.query('alter table payment add remark text')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table payment drop remark')
  }
}

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version} in transaction mode`, () => {
    let pooler: PgBouncerServer
    beforeAll(async () => {
      pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 4 } })
    })
    afterAll(() => pooler.stop())

    async function connect(options: Partial<PostgresOptions> = {}, guard: GuardOptions = {}) {
      const warnings: string[] = []
      const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
      const dataSource = new DataSource(
        guardDataSource(
          { type: 'postgres', url: pooler.url, entities: [accounts, payments], ...options },
          { onEvent, ...guard },
        ),
      )
      onTestFinished(async () => {
        if (dataSource.isInitialized) await dataSource.destroy()
      })
      await dataSource.initialize()
      return { dataSource, warnings, pools: guardedPools(dataSource) }
    }

    test('when many read and write, then all are served', async () => {
      const { dataSource, pools } = await connect({}, { instances: 7, pool: { max: 8 } })
      expect((await pools[0].ready()).topology).toMatchObject({ kind: 'pooler', pooler: { mode: 'transaction' } })
      expect(pools[0].settings.values.max).toBe(8)
      const repository = dataSource.getRepository(accounts)
      const all = Array.from({ length: 200 }, (_, i) =>
        i % 2
          ? repository.findOneByOrFail({ id: (i % 10) + 1 })
          : dataSource.transaction((manager) => manager.increment(accounts, { id: (i % 10) + 1 }, 'balance', 1)),
      )
      expect(await Promise.all(all)).toHaveLength(200)
      expect(pools[0].snapshot()).toMatchObject({ sessionStateFindings: 0, dirtyReleases: 0 })
    })

    test('when startup parameters are given, then connections are made without them, and that is said', async () => {
      const { dataSource, warnings } = await connect({
        extra: { statement_timeout: 5_000, options: '-c work_mem=65' },
      })
      expect(await dataSource.getRepository(accounts).count()).toBe(10)
      expect(warnings).toEqual([
        expect.stringContaining('rejects the startup parameter statement_timeout'),
        expect.stringContaining('rejects the startup parameter options'),
      ])
    })

    test('when a statement depends on the session, then a warning says so', async () => {
      const { dataSource, warnings, pools } = await connect()
      await pools[0].ready()
      await dataSource.query(`set application_name = 'leaked'`)
      expect(warnings).toEqual([expect.stringContaining('SET application_name depends on the session')])
      await dataSource.query('reset application_name')
    })

    test('when migrations are given the direct URL, then they run past the pooler, by one connection of plain pg', async () => {
      const options: PostgresOptions = { type: 'postgres', url: pooler.url, migrations: [AddRemark] }
      const dataSource = await new DataSource(migrationDataSource(options, server.url)).initialize()
      onTestFinished(() => dataSource.destroy())
      const { master } = dataSource.driver as unknown as { master: pg.Pool }
      expect(master.options).toMatchObject({ connectionString: server.url, max: 1 })
      expect(await dataSource.runMigrations()).toHaveLength(1)
      await dataSource.undoLastMigration()
      expect(() => guardedPools(dataSource)).toThrow('not guarded')
    })

    test('when a replica is behind the same pooler, then both pools together keep to max', async () => {
      const replication = { master: { url: pooler.url }, slaves: [{ url: pooler.url }] }
      const dataSource = new DataSource(
        guardDataSource({ type: 'postgres', replication }, { pool: { max: 6 }, instances: 3 }),
      )
      await dataSource.initialize()
      for (const pool of guardedPools(dataSource)) {
        await pool.ready()
        expect(pool.settings.values.max).toBe(3)
      }
      await dataSource.destroy()
    })
  })
}
