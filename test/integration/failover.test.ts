import { pause } from '@poolguard/core/adapter'
import { guardPoolClass } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FailoverBed, startFailoverBed, waitUntil } from '../harness/index.ts'

const GuardedPool = guardPoolClass(pg.Pool)

interface AppOptions {
  readonly url: string
  readonly max?: number
}

/** One pool of either driver, as these tests use it. */
interface App {
  query(text: string): Promise<readonly Record<string, unknown>[]>
  snapshot(): ReturnType<InstanceType<typeof GuardedPool>['snapshot']>
  end(): Promise<void>
}

const DRIVERS: Readonly<Record<string, (options: AppOptions) => App>> = {
  pg: ({ url, max = 4 }) => {
    const pool = new GuardedPool({ url, max, onEvent: () => {} })
    return {
      query: async (text) => (await pool.query(text)).rows,
      snapshot: () => pool.snapshot(),
      end: () => pool.end(),
    }
  },
  'postgres.js': ({ url, max = 4 }) => {
    const sql = guardPostgres(url, { max, onEvent: () => {} })
    return { query: (text) => sql.unsafe(text), snapshot: () => sql.snapshot(), end: () => sql.end() }
  },
}

const TABLE = 'CREATE TABLE written (id int); GRANT ALL ON written TO app'

const closing: (() => PromiseLike<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function start(driver: string, parameters: string, options: Partial<AppOptions> = {}) {
  const bed = await startFailoverBed(TABLE)
  const app = DRIVERS[driver]?.({ url: bed.urlFor(parameters), ...options })
  if (!app) throw new Error(`unknown driver ${driver}`)
  closing.push(
    () => app.end(),
    () => bed[Symbol.asyncDispose](),
  )
  return { bed, app }
}

/** Until its backends have ended, too, a statement could be sent to one of them. */
async function kill(bed: FailoverBed, app: App): Promise<void> {
  await bed.disrupt('killed')
  await waitUntil(() => app.snapshot().stats.total === 0, { what: 'the connections are lost' })
}

const ROLE = 'select pg_is_in_recovery() as standby'

describe('target_session_attrs', () => {
  let bed: FailoverBed
  beforeAll(async () => {
    bed = await startFailoverBed(TABLE)
  })
  afterAll(() => bed[Symbol.asyncDispose]())

  test.each([
    ['any', false],
    ['read-write', false],
    ['primary', false],
    ['read-only', true],
    ['standby', true],
    ['prefer-standby', true],
  ])('%s uses a standby: %s', async (target, standby) => {
    for (const open of Object.values(DRIVERS)) {
      const app = open({ url: bed.urlFor(`target_session_attrs=${target}`) })
      expect(await app.query(ROLE)).toEqual([{ standby }])
      await app.end()
    }
  })
})

test('an instance of a fleet joins it again on the promoted standby', async () => {
  const bed = await startFailoverBed(TABLE)
  const pool = new GuardedPool({
    url: bed.urlFor('target_session_attrs=read-write'),
    fleet: { app: 'orders', intervalMillis: 200 },
    onEvent: () => {},
  })
  closing.push(
    () => pool.end(),
    () => bed[Symbol.asyncDispose](),
  )
  const members = () =>
    bed.standby.query(`select 1 from pg_stat_activity where usename = 'app' and application_name like 'orders#%:t=%'`)
  await pool.query('insert into written values (1)')
  await bed.replication.caughtUp()
  await bed.disrupt('killed')
  await waitUntil(() => pool.snapshot().stats.total === 0, { what: 'the connections are lost' })
  await bed.promote()
  await pool.query('insert into written values (2)')
  await waitUntil(async () => (await members()).length > 0, { what: 'its share is published there' })
})

test.each(Object.entries(DRIVERS))('%s looks names up, and tries all their addresses', async (_driver, open) => {
  await using bed = await startFailoverBed(TABLE)
  // Usually also ::1, where no server listens.
  const app = open({ url: bed.urlFor('target_session_attrs=standby').replaceAll('127.0.0.1', 'localhost') })
  expect(await app.query(ROLE)).toEqual([{ standby: true }])
  await app.end()
})

describe.each(Object.keys(DRIVERS))('%s with a primary and a standby', (driver) => {
  test('prefer-standby uses the primary while there is no standby', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=prefer-standby')
    bed.proxies[1].refuse()
    expect(await app.query(ROLE)).toEqual([{ standby: false }])
    expect(await app.query(ROLE)).toEqual([{ standby: false }])
  })

  test('the error names every host and why it is not used', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=standby&pool_timeout=0.5')
    bed.proxies[1].refuse()
    const error = await app.query(ROLE).catch((reason: unknown) => reason)
    const [primary, standby] = bed.proxies
    expect((error as Error).message).toContain(`127.0.0.1:${primary.port} is a primary`)
    expect((error as Error).message).toContain(`127.0.0.1:${standby.port} does not answer`)
  })

  test('after the primary was killed, writes come back on the promoted standby', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=read-write')
    await app.query('insert into written values (1)')
    await bed.replication.caughtUp()
    await kill(bed, app)
    const write = app.query('insert into written values (2)')
    await bed.promote()
    await write
    expect(await app.query('select id from written order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('after the primary became read-only in place, idle connections to it are not lent for writes', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=read-write')
    const sleep = () => app.query('select pg_sleep(0.1)')
    await Promise.all([sleep(), sleep(), sleep(), sleep()])
    expect(app.snapshot().stats.idle).toBe(4)

    await bed.disrupt('read-only')
    await bed.promote()
    // The first one that the server rejects was sent before the server had reported the change.
    const failures: unknown[] = []
    for (let id = 0; id < 20; id++) {
      await app.query(`insert into written values (${id})`).catch((error: unknown) => failures.push(error))
    }
    expect(failures.length).toBeLessThanOrEqual(1)
    for (const failure of failures) expect(failure).toMatchObject({ code: '25006' })
    await waitUntil(() => bed.proxies[0].connections === 0, { what: 'the connections to it are closed' })
    expect(app.snapshot().stats.active).toBe(0)
  })

  test('after the primary was cut off, its statements fail, writes come back, and no idle connection to it is lent', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=read-write')
    const sleep = () => app.query('select pg_sleep(0.1)')
    await Promise.all([sleep(), sleep(), sleep(), sleep()])

    await bed.disrupt('cut-off')
    const inFlight = Promise.allSettled(Array.from({ length: 4 }, () => app.query('insert into written values (1)')))
    const waiting = Array.from({ length: 8 }, () => app.query('insert into written values (2)'))
    await bed.promote()
    await Promise.all(waiting)
    for (const outcome of await inFlight) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ETIMEDOUT' })
    }
    expect(await app.query('select count(*)::int as rows from written where id = 2')).toEqual([{ rows: 8 }])
    // Closing does not wait for a server that does not answer.
    await waitUntil(() => app.snapshot().stats.closing === 0, { what: 'the connections to it are closed' })
    await bed.proxies[0].heal()
  })

  test('after an idle pool was cut off from its primary, the first write waits for the new one', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=primary&pool_timeout=8', { max: 2 })
    await Promise.all([app.query('select pg_sleep(0.1)'), app.query('select pg_sleep(0.1)')])
    // A connection that was idle for more than 500 ms is validated before it is lent.
    await pause(600)
    await bed.disrupt('cut-off')
    await bed.promote()
    await app.query('insert into written values (1)')
    await bed.proxies[0].heal()
  })

  test('a long statement on a primary that answers is not given up', async () => {
    const { app } = await start(driver, 'target_session_attrs=read-write', { max: 1 })
    const began = performance.now()
    expect(await app.query('select 1 as one from pg_sleep(3)')).toEqual([{ one: 1 }])
    expect(performance.now() - began).toBeGreaterThan(2_900)
  })

  test('a host that is down gets at most two connections per second', async () => {
    const { bed, app } = await start(driver, 'target_session_attrs=primary&pool_timeout=3')
    await app.query(ROLE)
    await kill(bed, app)
    const before = bed.proxies[0].accepted
    const began = performance.now()
    await Promise.allSettled(Array.from({ length: 20 }, () => app.query(ROLE)))
    const seconds = (performance.now() - began) / 1_000
    // One more, because the first attempt may come at once.
    expect(bed.proxies[0].accepted - before).toBeLessThanOrEqual(2 * seconds + 1)
    expect(bed.proxies[0].accepted).toBeGreaterThan(before)
  })
})
