import { GuardedPool, guardPoolClass } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWithPgBouncer, type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { type ImitatedPoolerOptions, imitatePooler } from '../imitations/pooler.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
})
afterAll(() => server.stop())

/** What clients see of each pooler, as far as detection looks at it. */
const POOLERS: Readonly<Record<string, Omit<ImitatedPoolerOptions, 'server'>>> = {
  Supavisor: { inventsPid: true },
  PgCat: { inventsPid: true },
  'RDS Proxy': {
    inventsPid: true,
    refuses: (parameters) => {
      const name = [...parameters.keys()].find((each) => each.startsWith('poolguard'))
      if (name === undefined) return undefined
      return {
        code: '0A000',
        message: `Feature not supported: RDS Proxy currently doesn't support the option ${name}.`,
      }
    },
  },
  'Pgpool-II': {
    inventsPid: false,
    answers: (text) => (/^show pool_version$/i.test(text) ? { pool_version: '4.3.5 (tamahomeboshi)' } : undefined),
  },
}

const REASONS: Readonly<Record<string, RegExp>> = {
  'Pgpool-II': /^given as 'reads', but Pgpool-II 4\.3\.5 \(tamahomeboshi\) is between this pool and its server$/,
}
const UNKNOWN_POOLER =
  /^given as 'reads', but the server of this pool is a pooler in .*, and is not known to be PgBouncer$/

interface Asked {
  readonly snapshot: ReturnType<GuardedPool['snapshot']>
  readonly numbers: readonly number[]
}

const NUMBERS = Array.from({ length: 40 }, (_, n) => n)

/** Sends forty statements at once through two connections. */
const drivers: Readonly<Record<string, (url: string) => Promise<Asked>>> = {
  pg: async (url) => {
    const pool = new GuardedPool({ url, name: url, pool: { max: 2, pipeline: 'reads' } })
    await pool.ready()
    const echo = async (n: number) => (await pool.query('select $1::int as n', [n])).rows[0].n
    for (const n of [1, 2, 3]) await echo(n)
    const numbers = await Promise.all(NUMBERS.map(echo))
    const snapshot = pool.snapshot()
    await pool.end()
    return { snapshot, numbers }
  },
  'postgres.js': async (url) => {
    const sql = guardPostgres(url, { name: url, pool: { max: 2, pipeline: 'reads' } })
    await sql.ready()
    const echo = async (n: number) => (await sql<{ n: number }[]>`select ${n}::int as n`)[0]?.n as number
    for (const n of [1, 2, 3]) await echo(n)
    const numbers = await Promise.all(NUMBERS.map(echo))
    const snapshot = sql.snapshot()
    await sql.end()
    return { snapshot, numbers }
  },
}

describe.each(Object.entries(drivers))('%s', (_driver, ask) => {
  test.each(Object.entries(POOLERS))(
    'given %s (imitated at protocol level), then statements do not share connections, and the snapshot says why',
    async (name, options) => {
      await using pooler = await imitatePooler({ ...options, server })
      const { snapshot, numbers } = await ask(pooler.url)
      expect(numbers).toEqual(NUMBERS)
      expect(snapshot.pipelining).toMatchObject({
        ...{ mode: 'off', active: false, sentBehind: 0 },
        reason: expect.stringMatching(REASONS[name] ?? UNKNOWN_POOLER),
      })
    },
  )

  test('given PostgreSQL behind a relay, then the pool asks it for the version of Pgpool-II, and statements share connections', async () => {
    await using pooler = await imitatePooler({ server, inventsPid: false })
    const { snapshot, numbers } = await ask(pooler.url)
    expect(numbers).toEqual(NUMBERS)
    expect(pooler.texts).toContain('show pool_version')
    expect(snapshot.pipelining).toMatchObject({ mode: 'reads', active: true, reason: 'given' })
  })

  test('given PostgreSQL without a relay, then it gets no command that it would reject', async () => {
    const before = server.log().length
    await ask(server.url)
    expect(server.log().slice(before)).not.toContain('pool_version')
  })
})

for (const [version, poolMode, isShared] of [
  ['1.18', 'transaction', false],
  ['1.24', 'session', false],
  ['1.24', 'transaction', true],
] as const) {
  const describeVersion = await describeWithPgBouncer(version)
  describeVersion(`given PgBouncer ${version} in ${poolMode} mode`, () => {
    test.each(Object.entries(drivers))(
      'then %s shares connections only if it is known to be safe',
      async (_driver, ask) => {
        const settings = version === '1.18' ? {} : { max_prepared_statements: 20 }
        await using pooler = await startPgBouncer({ version, poolMode, upstream: server, settings })
        const { snapshot, numbers } = await ask(pooler.url)
        expect(numbers).toEqual(NUMBERS)
        const reason = isShared ? 'given' : expect.stringContaining('may be older than 1.21')
        expect(snapshot.pipelining).toMatchObject({ active: isShared, reason })
      },
    )
  })
}

test('given pg before 8.23, then statements do not share connections, and the settings say why', async () => {
  // It has no types of its own.
  const { default: pgOldest } = (await import('pg-oldest' as string)) as { readonly default: typeof import('pg') }
  const Pool = guardPoolClass(pgOldest.Pool)
  const pool = new Pool({ url: server.url, name: 'oldest', pool: { max: 2, pipeline: 'reads' } })
  await pool.ready()
  const echo = async (n: number) => (await pool.query('select $1::int as n', [n])).rows[0].n
  expect(await Promise.all(NUMBERS.map(echo))).toEqual(NUMBERS)
  const reason = "given as 'reads', but this version of pg has no pipeline mode (pg 8.23 and later have)"
  expect(pool.settings).toMatchObject({ values: { pipeline: 'off' }, reasons: { pipeline: reason } })
  expect(pool.settings.warnings).toEqual([])
  expect(pool.snapshot().pipelining).toMatchObject({ mode: 'off', active: false, reason, sentBehind: 0 })
  await pool.end()
})
