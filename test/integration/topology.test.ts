import { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  type PostgresVersion,
  pgBouncerVersions,
  postgresVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'
import { findAt, findTarget, targetsFor, wrongAbout } from '../topology/target.ts'

describe('given PostgreSQL itself', () => {
  test.for(postgresVersions)('version %i is found to be direct', async (version) => {
    await using server = await startPostgres({ version })
    const { topology } = await findAt(server.url)
    expect(topology).toMatchObject({ kind: 'direct', preparedStatements: 'safe', server: { version: server.version } })
    expect(topology?.evidence).toEqual([expect.stringContaining('is the one announced at login')])
  })
})

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    const servers = new Map<PostgresVersion, PostgresServer>()
    beforeAll(async () => {
      for (const postgres of [15, 18] as const) servers.set(postgres, await startPostgres({ version: postgres }))
    })
    afterAll(async () => {
      await Promise.all([...servers.values()].map((server) => server.stop()))
    })

    test.for(targetsFor(version))(
      '$poolMode mode, pool size $poolSize from $minPoolSize on, round robin $roundRobin, max_prepared_statements $maxPreparedStatements, PostgreSQL $postgres, traffic $traffic',
      async (target) => {
        const { topology } = await findTarget(version, target, servers.get(target.postgres) as PostgresServer)
        expect(wrongAbout(target, topology), topology?.evidence.join('\n')).toBeUndefined()
      },
    )

    test('nothing is left behind by the probing', async () => {
      const server = servers.get(18) as PostgresServer
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 1 } })
      const pool = new GuardedPool({ url: pooler.url })
      await pool.ready()
      const { rows } = await pool.query(
        `select (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
                (select count(*)::int from pg_stat_activity where state like 'idle in transaction%') as transactions,
                (select count(*)::int from pg_prepared_statements where name like 'poolguard%') as statements`,
      )
      expect(rows).toEqual([{ locks: 0, transactions: 0, statements: 0 }])
      await pool.end()
    })
  })
}

const describeDefault = await describeWithPgBouncer()
describeDefault('given a pooler that refuses startup parameters', () => {
  test('then connections are made without them, and that is said once', async () => {
    await using server = await startPostgres()
    await using pooler = await startPgBouncer({ upstream: server })
    const warnings: string[] = []
    const pool = new GuardedPool({
      url: `${pooler.url}?options=-c%20geqo%3Doff`,
      statement_timeout: 5_000,
      onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
    })
    await Promise.all(Array.from({ length: 20 }, () => pool.query('select 1')))
    expect(warnings).toEqual([expect.stringContaining('statement_timeout, options')])
    await pool.end()
  })
})
