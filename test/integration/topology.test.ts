import type { Topology } from '@poolguard/core'
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
import { matrix } from '../matrix.ts'

async function topologyAt(url: string): Promise<Topology | null> {
  const pool = new GuardedPool({ url })
  try {
    return (await pool.ready()).topology
  } finally {
    await pool.end()
  }
}

describe('given PostgreSQL itself', () => {
  test.for(postgresVersions)('version %i is found to be direct', async (version) => {
    await using server = await startPostgres({ version })
    const topology = await topologyAt(server.url)
    expect(topology).toMatchObject({ kind: 'direct', preparedStatements: 'safe' })
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

    const cases = matrix({
      poolMode: ['session', 'transaction', 'statement'],
      poolSize: [1, 2, 20],
      roundRobin: [0, 1],
      maxPreparedStatements: version === '1.18' ? ['none'] : [0, 200],
      postgres: [15, 18],
    })
    test.for(cases)(
      '$poolMode mode, pool size $poolSize, server_round_robin $roundRobin, max_prepared_statements $maxPreparedStatements, PostgreSQL $postgres',
      async ({ poolMode, poolSize, roundRobin, maxPreparedStatements, postgres }) => {
        await using pooler = await startPgBouncer({
          version,
          poolMode: poolMode as 'session' | 'transaction' | 'statement',
          upstream: servers.get(postgres as PostgresVersion) as PostgresServer,
          settings: {
            default_pool_size: poolSize as number,
            server_round_robin: roundRobin as number,
            ...(maxPreparedStatements !== 'none' && { max_prepared_statements: maxPreparedStatements as number }),
          },
        })
        const topology = await topologyAt(pooler.url)
        expect(topology).toMatchObject({ kind: 'pooler', pooler: { mode: poolMode } })
        if (poolMode === 'session') expect(topology?.preparedStatements).not.toBe('unsafe')
        else expect(topology?.preparedStatements).toBe(maxPreparedStatements === 200 ? 'safe' : 'unsafe')
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
