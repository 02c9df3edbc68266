import { setTimeout as sleep } from 'node:timers/promises'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type FaultProxy,
  type PgBouncerServer,
  type PgBouncerVersion,
  type PoolMode,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startProxy,
} from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'
import { type LoadReport, runLoad, withFaults } from './pipelined-load.ts'

/** Statements in all, over all targets: ten thousand, or a million with the whole matrix. `SEED` repeats a run. */
const STATEMENTS = Number(process.env.STATEMENTS ?? (isFullMatrix ? 1_000_000 : 10_000))
const TIMEOUT_MILLIS = 120_000 + STATEMENTS * 10
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)

const TARGETS: readonly {
  readonly version?: PgBouncerVersion
  readonly poolMode?: PoolMode
  readonly prepares?: boolean
}[] = [
  {},
  { version: '1.24', poolMode: 'transaction', prepares: true },
  { version: '1.26', poolMode: 'transaction', prepares: true },
  { version: '1.26', poolMode: 'transaction', prepares: false },
  { version: '1.26', poolMode: 'statement', prepares: true },
  { version: '1.26', poolMode: 'session' },
]

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 40 })
  await server.query(`
    create table things (id int primary key, name text);
    insert into things select n, 'thing ' || n from generate_series(1, 50) n;
    create table written (n int);
    alter table things owner to app;
    alter table written owner to app`)
})
afterAll(() => server.stop())

function isClean({ wrong, hung }: LoadReport): void {
  expect(wrong.slice(0, 3)).toEqual([])
  expect(hung).toEqual([])
}

for (const target of TARGETS) {
  const { version, poolMode, prepares } = target
  const describeTarget = version === undefined ? describe : await describeWithPgBouncer(version)
  const title =
    version === undefined
      ? 'PostgreSQL'
      : `PgBouncer ${version} in ${poolMode} mode${prepares === false ? ', without prepared statements' : ''}`

  describeTarget(`pipelined statements through ${title}`, () => {
    let pooler: PgBouncerServer | undefined
    let proxy: FaultProxy
    beforeAll(async () => {
      const settings = {
        default_pool_size: 4,
        ...(prepares !== undefined && { max_prepared_statements: prepares ? 20 : 0 }),
      }
      if (version !== undefined && poolMode !== undefined)
        pooler = await startPgBouncer({
          version,
          poolMode,
          upstream: server,
          settings,
        })
      proxy = await startProxy({ target: pooler ?? server })
    })
    afterAll(async () => {
      await proxy.stop()
      await pooler?.stop()
    })

    async function givenPool(config: GuardedPoolConfig = {}): Promise<GuardedPool> {
      const pool = new GuardedPool({
        url: proxy.urlFor((pooler ?? server).url),
        // A connection whose answers are lost in the network is given up.
        query_timeout: 3_000,
        maxPreparedStatements: 15,
        onEvent: () => {},
        ...config,
        pool: { max: 4, pipeline: 'reads', acquireTimeoutMillis: 20_000, drainMillis: 15_000, ...config.pool },
      })
      pool.on('error', () => {})
      await pool.ready()
      expect(pool.settings.values.pipeline).toBe('reads')
      return pool
    }

    async function load(pool: GuardedPool, statements: number, seed: number): Promise<LoadReport> {
      return runLoad(pool, {
        ...{ statements, callers: 48, seed },
        transactions: poolMode !== 'statement',
        sessions: version === undefined,
      })
    }

    async function expectNoLeak(pool: GuardedPool): Promise<void> {
      await expect.poll(() => pool.counts).toMatchObject({ active: 0, waiting: 0 })
      expect(pool.snapshot().pipelining).toMatchObject({ inFlight: 0 })
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await pool.end()
    }

    test(
      `each result is its caller's (seed ${SEED})`,
      async () => {
        proxy.setLatency(1)
        const pool = await givenPool()
        const report = await load(pool, STATEMENTS / TARGETS.length / 2, SEED)
        isClean(report)
        expect(report.answered).toBeGreaterThan(report.failed)
        expect(pool.snapshot().pipelining?.sentBehind).toBeGreaterThan(report.answered / 20)
        await expectNoLeak(pool)
        await proxy.heal()
      },
      TIMEOUT_MILLIS,
    )

    test(
      `each result is its caller's, whatever happens to the connections (seed ${SEED})`,
      async () => {
        const pool = await givenPool()
        const report = await withFaults(load(pool, STATEMENTS / TARGETS.length / 2, SEED + 1), SEED, async (random) => {
          const kind = random()
          if (kind < 0.4) proxy.reset()
          else if (kind < 0.7) proxy.cutAfter(Math.floor(random() * 5_000))
          else if (kind < 0.8) proxy.setLatency(Math.floor(random() * 4))
          else if (kind < 0.85) {
            proxy.blackhole()
            await sleep(50)
          } else if (kind < 0.9 && version === undefined) await server.restart()
          await sleep(20)
          await proxy.heal()
        })
        isClean(report)
        expect(report.answered).toBeGreaterThan(0)
        await proxy.heal()
        await expectNoLeak(pool)
      },
      TIMEOUT_MILLIS,
    )
  })
}
