import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../fleet/keep-busy.ts'
import {
  type Disruption,
  describeWithPgBouncerProgram,
  type FailoverBed,
  startFailoverBed,
  startMovablePgBouncer,
  waitUntil,
} from '../harness/index.ts'

const SETUP = 'CREATE TABLE written (id int, note text); GRANT ALL ON written TO app'
const INSERT = 'insert into written values ($1, $2)'
const LOOK = `select count(*)::int as written, (select count(*)::int from pg_prepared_statements) as prepared
  from written where id <= $1`

interface App {
  query(text: string, values: readonly (string | number)[]): Promise<readonly Record<string, unknown>[]>
  /** How many connections the fleet has to share. */
  budget(): number | undefined
}

/** The pool reads PgBouncer's limits as its own user. */
const FLEET = { app: 'orders', intervalMillis: 200 }
const SETTINGS = {
  stats_users: 'app',
  max_client_conn: 40,
  default_pool_size: 20,
  query_wait_timeout: 2,
  server_login_retry: 1,
}

const DRIVERS: Readonly<Record<string, (url: string) => App>> = {
  pg: (url) => {
    const pool = new GuardedPool({ url, fleet: FLEET, onEvent: () => {} })
    onTestFinished(() => pool.end())
    return {
      query: async (text, values) => (await pool.query(text, [...values])).rows,
      budget: () => pool.snapshot().fleet?.sharedConnections,
    }
  },
  'postgres.js': (url) => {
    const sql = guardPostgres(url, { fleet: FLEET, onEvent: () => {} })
    onTestFinished(() => sql.end())
    return {
      query: (text, values) => sql.unsafe(text, [...values], { prepare: true }),
      budget: () => sql.snapshot().fleet?.sharedConnections,
    }
  },
}

const idsOn = async ({ standby }: FailoverBed) => {
  const [row] = await standby.query<{ ids: number[] }>('select array_agg(id order by id) as ids from written')
  return row?.ids
}

const describe = await describeWithPgBouncerProgram('1.24')
describe.each(Object.keys(DRIVERS))('%s behind a PgBouncer whose server changes', (driver) => {
  async function start(parameters: string) {
    const bed = await startFailoverBed(SETUP)
    const pgbouncer = await startMovablePgBouncer({
      version: '1.24',
      upstream: bed.replication.primary,
      settings: SETTINGS,
    })
    onTestFinished(async () => {
      await pgbouncer[Symbol.asyncDispose]()
      await bed[Symbol.asyncDispose]()
    })
    const app = DRIVERS[driver]?.(`${pgbouncer.url}?${parameters}`) as App
    return { bed, pgbouncer, app }
  }

  test('a switchover with PAUSE, RELOAD and RESUME fails no statement, and other limits are shared', async () => {
    const { bed, pgbouncer, app } = await start('')
    let id = 0
    let isDone = false
    const failures: unknown[] = []
    const write = async () => {
      while (!isDone && failures.length === 0)
        await app.query(INSERT, [++id, 'x']).catch((error: unknown) => failures.push(error))
    }
    const writing = Promise.all(Array.from({ length: 3 }, write))
    await eventually(() => app.budget()).toBeGreaterThan(30)
    await waitUntil(() => id > 50, { what: 'statements are prepared' })

    await pgbouncer.command('PAUSE')
    await bed.replication.caughtUp()
    await bed.promote()
    await bed.replication.primary.kill('SIGKILL')
    await pgbouncer.reload({ upstream: bed.standby, settings: { max_client_conn: 20 } })
    await pgbouncer.command('RESUME')
    const moved = id
    await waitUntil(() => id > moved + 50, { what: 'writes go on' })
    isDone = true
    await writing

    expect(failures).toEqual([])
    expect(await idsOn(bed)).toEqual(Array.from({ length: id }, (_, index) => index + 1))
    await eventually(async () => (await app.query(LOOK, [id]))[0]?.prepared).toBeGreaterThan(0)
    expect((await app.query(LOOK, [id]))[0]?.written).toBe(id)
    await eventually(() => app.budget()).toBeLessThan(20)
  })

  test.each<[Disruption, parameters: string]>([
    ['killed', ''],
    ['killed', 'target_session_attrs=read-write'],
    ['read-only', ''],
    ['read-only', 'target_session_attrs=read-write'],
  ])('the primary is %s, then writes go to the server of the next RELOAD (%s)', async (disruption, parameters) => {
    const { bed, pgbouncer, app } = await start(parameters)
    for (let id = 1; id <= 10; id++) await app.query(INSERT, [id, 'x'])
    await bed.replication.caughtUp()
    await bed.disrupt(disruption)
    await bed.promote()
    const lost = await app.query(INSERT, [11, 'x']).catch((error: unknown) => error)
    await pgbouncer.reload({ upstream: bed.standby })

    const failures: unknown[] = []
    for (let id = 12; id <= 20; id++) {
      await app.query(INSERT, [id, 'x']).catch((error: unknown) => failures.push(error))
    }

    expect(lost).toBeInstanceOf(Error)
    expect(failures).toEqual([])
    expect(await idsOn(bed)).toContain(20)
    expect((await app.query(LOOK, [10]))[0]).toMatchObject({ written: 10 })
  })
})
