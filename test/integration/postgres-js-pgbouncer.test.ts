import { type GuardedOptions, type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  pgBouncerVersions,
  postgresVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'

const poolModes = ['session', 'transaction', 'statement'] as const

describe('given PostgreSQL itself', () => {
  test.for(postgresVersions)('version %i is found to be direct, and statements are prepared', async (version) => {
    await using server = await startPostgres({ version })
    const sql = guardPostgres(server.url, { max: 1 })
    const { topology } = await sql.ready()
    expect(topology).toMatchObject({ kind: 'direct', preparedStatements: 'safe', server: { version: server.version } })
    expect(await sql`select count(*)::int as n from pg_prepared_statements`).toEqual([{ n: 1 }])
    expect(await sql`select ${1}::int as n`).toEqual([{ n: 1 }])
    expect(await sql`select ${2}::int as n`).toEqual([{ n: 2 }])
    expect(await sql`select statement from pg_prepared_statements where statement like 'select $1%'`).toHaveLength(1)
    await sql.end()
  })

  test('when prepare is false, or nothing is known yet, then statements are not prepared', async () => {
    await using server = await startPostgres()
    const sql = guardPostgres(server.url, { max: 1, prepare: false })
    await sql.ready()
    expect(await sql`select count(*)::int as n from pg_prepared_statements`).toEqual([{ n: 0 }])
    await sql.end()
  })
})

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    let server: PostgresServer
    beforeAll(async () => {
      server = await startPostgres({ maxConnections: 60 })
    })
    afterAll(() => server.stop())

    const statements = version === '1.18' ? [undefined] : [0, 200]
    const cases = poolModes.flatMap((poolMode) =>
      statements.flatMap((max) => [1, 20].map((poolSize) => ({ poolMode, max, poolSize }))),
    )
    test.for(cases)(
      'in $poolMode mode, pool size $poolSize, max_prepared_statements $max, it is found out, and queries work accordingly',
      async ({ poolMode, max, poolSize }) => {
        await using pooler = await startPgBouncer({
          ...{ version, poolMode, upstream: server },
          settings: { default_pool_size: poolSize, ...(max !== undefined && { max_prepared_statements: max }) },
        })
        const sql = make(pooler.url, { max: poolSize === 1 ? 2 : 4 })
        const { topology } = await sql.ready()
        const evidence = topology?.evidence.join('\n')
        expect(topology, evidence).toMatchObject({ kind: 'pooler', pooler: { mode: poolMode } })
        const works = poolMode === 'session' || max === 200
        expect(topology?.preparedStatements === 'safe' && !works, evidence).toBe(false)
        // A statement that keeps its name may be in a session of its own, or in anybody's.
        if (max === 200 && poolMode !== 'session') expect(topology?.preparedStatements, evidence).toBe('safe')
        expect(sql.options.prepare).toBe(topology?.preparedStatements === 'safe')
        // In session mode the first connection keeps the only server.
        if (poolMode === 'session' && poolSize === 1) return await sql.end({ timeout: 0 })
        const answers = Array.from({ length: 100 }, (_, n) => sql`select ${n % 7}::int as n, ${n}::text as t`)
        expect((await Promise.all(answers)).map(([row]) => row?.t)).toEqual(
          Array.from({ length: 100 }, (_, n) => `${n}`),
        )
        if (poolMode !== 'statement') {
          const many = Array.from({ length: 20 }, (_, n) => sql.begin((tx) => tx`select ${n}::int as n`))
          expect((await Promise.all(many)).map(([row]) => row?.n)).toEqual(Array.from({ length: 20 }, (_, n) => n))
        }
        if (poolMode === 'transaction' && poolSize === 1) {
          const prepared = await sql`select statement from pg_prepared_statements where statement like '%as t'`.simple()
          expect(prepared.length > 0).toBe(sql.options.prepare)
        }
        await sql.end()
      },
    )

    test('nothing is left behind by the probing', async () => {
      for (const max of statements) {
        await using pooler = await startPgBouncer({
          ...{ version, upstream: server },
          settings: { default_pool_size: 1, ...(max !== undefined && { max_prepared_statements: max }) },
        })
        const sql = make(pooler.url, { prepare: false })
        await sql.ready()
        const [left] = await sql`
          select (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
                 (select count(*)::int from pg_stat_activity where state like 'idle in transaction%') as transactions,
                 (select count(*)::int from pg_prepared_statements where name not like 'PGBOUNCER%') as statements`
        expect(left).toEqual({ locks: 0, transactions: 0, statements: 0 })
        await sql.end()
      }
    })

    test('startup parameters that it refuses are left out, and that is said once for each', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })
      const warnings: string[] = []
      const sql = make(`${pooler.url}?options=-c%20geqo%3Doff`, {
        connection: { statement_timeout: 5_000, application_name: 'kept' },
        onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
      })
      await Promise.all(Array.from({ length: 20 }, () => sql`select 1`))
      expect(warnings.sort()).toEqual([
        expect.stringContaining('startup parameter options'),
        expect.stringContaining('startup parameter statement_timeout'),
      ])
      expect(await sql`show application_name`).toEqual([{ application_name: 'kept' }])
      await sql.end()
    })

    test('statements that rely on the session produce a warning, or are not sent', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })
      const sql = make(pooler.url, { sessionState: 'throw' })
      await sql.ready()
      const refused = { code: 'POOLGUARD_SESSION_STATE' }
      const setting = sql`work_mem`
      await expect(sql`set ${setting} to '1MB'`).rejects.toMatchObject(refused)
      await expect(sql.begin((tx) => tx`listen news`)).rejects.toMatchObject(refused)
      const reserved = await sql.reserve()
      await expect(reserved.unsafe('select pg_advisory_lock(1)')).rejects.toMatchObject(refused)
      reserved.release()
      expect(await sql.begin((tx) => tx`set local work_mem to '1MB'`)).toEqual([])
      expect(sql.snapshot().sessionStateFindings).toBe(3)
      await sql.end()
    })
  })
}

function make(url: string, options: GuardedOptions = {}): GuardedSql {
  return guardPostgres(url, { name: 'pooled', ...options }) as GuardedSql
}
