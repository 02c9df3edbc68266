import { GuardedPool, PgBouncerConsole } from '@poolguard/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version} and a user who may look`, () => {
    test('then its console is read with the same names and units as of any other version', async () => {
      await using pooler = await startPgBouncer({
        version,
        upstream: server,
        settings: { default_pool_size: 3, min_pool_size: 1, reserve_pool_size: 2 },
      })
      const pool = new GuardedPool({ url: pooler.url, pooler: 'transaction', max: 5, application_name: 'orders' })
      const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()))
      const sleeping = clients.map((client) => client.query('select pg_sleep(0.5)'))

      await using pgbouncer = await PgBouncerConsole.connect(`${pooler.statsUrl}?statement_timeout=5000`)
      await expect
        .poll(async () => (await pgbouncer.pools()).find(({ user }) => user === 'app'))
        .toMatchObject({
          database: 'app',
          poolMode: 'transaction',
          clientsActive: 3,
          clientsWaiting: 2,
          serversActive: 3,
          serversIdle: 0,
          maxWaitMillis: expect.any(Number),
        })
      expect(await pgbouncer.version()).toBe(pooler.version)
      expect((await pgbouncer.databases()).find(({ name }) => name === 'app')).toMatchObject({
        host: server.host,
        port: server.port,
        database: 'app',
        poolSize: 3,
        minPoolSize: 1,
        reservePoolSize: 2,
        currentConnections: 3,
        paused: false,
        disabled: false,
      })
      expect((await pgbouncer.config()).get('default_pool_size')).toMatchObject({ value: '3', changeable: true })
      expect((await pgbouncer.lists()).get('used_clients')).toBe(6)
      expect((await pgbouncer.clients()).filter(({ database }) => database === 'app')).toEqual(
        Array(5).fill({ database: 'app', user: 'app', applicationName: 'orders' }),
      )
      expect(await pgbouncer.show('LISTS')).toContainEqual({ list: 'used_clients', items: 6 })

      await Promise.all(sleeping)
      const stats = await pgbouncer.stats()
      const app = stats.find(({ database }) => database === 'app')
      expect(app?.queries, 'and one of the pool, for the capacity').toBe(6)
      expect(app?.queryMillis).toBeGreaterThan(5 * 500 - 50)
      expect(app?.queryMillis, 'milliseconds, not microseconds').toBeLessThan(1_000 * 500)
      for (const client of clients) client.release()
      await pool.end()
    })

    test('when the user may not look, then that is said', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })
      await expect(PgBouncerConsole.connect(pooler.url)).rejects.toMatchObject({ code: '08P01' })
    })
  })
}
