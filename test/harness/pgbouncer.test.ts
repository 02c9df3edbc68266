import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { failureOf } from './fixtures/failure-of.ts'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  pgBouncerAvailability,
  pgBouncerVersions,
  queryOnce,
  startPgBouncer,
  startPostgres,
} from './index.ts'

let postgres: PostgresServer
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`PgBouncer ${version}`, () => {
    let pgBouncer: PgBouncerServer
    beforeAll(async () => {
      pgBouncer = await startPgBouncer({ version, upstream: postgres })
    })
    afterAll(() => pgBouncer.stop())

    test('is of that version, in transaction mode', async () => {
      if (version === '1.26') expect(Number(pgBouncer.version.split('.')[1])).toBeGreaterThanOrEqual(26)
      else expect(pgBouncer.version.startsWith(`${version}.`)).toBe(true)
      expect(await pgBouncer.show('VERSION')).toEqual([{ version: `PgBouncer ${pgBouncer.version}` }])
      await queryOnce(pgBouncer.url, 'SELECT 1')
      const pools = await pgBouncer.show('POOLS')
      expect(pools.find(({ database }) => database === 'app')).toMatchObject({ user: 'app', pool_mode: 'transaction' })
    })

    test('lets the plain role in, and the superuser into any database', async () => {
      const whoAmI = 'SELECT current_user, current_database()'
      expect(await queryOnce(pgBouncer.url, whoAmI)).toEqual([{ current_user: 'app', current_database: 'app' }])
      const superuserUrl = pgBouncer.urlFor({ user: 'postgres', database: 'postgres' })
      expect(await queryOnce(superuserUrl, whoAmI)).toEqual([
        { current_user: 'postgres', current_database: 'postgres' },
      ])
    })

    test('has a user who may look but not touch', async () => {
      expect(await queryOnce(pgBouncer.statsUrl, 'SHOW LISTS')).not.toEqual([])
      const { message } = await failureOf(queryOnce(pgBouncer.statsUrl, 'RELOAD'))
      expect(message).toMatch(/admin access needed/)
    })

    test('comes back on the same port after kill', async () => {
      await pgBouncer.kill('SIGKILL')
      const { code } = await failureOf(queryOnce(pgBouncer.url, 'SELECT 1'))
      expect(code).toBe('ECONNREFUSED')
      await pgBouncer.restart()
      expect(await queryOnce(pgBouncer.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    })
  })
}

const describeAny = await describeWithPgBouncer()
describeAny('any PgBouncer', () => {
  test.each(['session', 'transaction', 'statement'] as const)('runs in %s mode', async (poolMode) => {
    await using pgBouncer = await startPgBouncer({ poolMode, upstream: postgres })
    expect(pgBouncer.poolMode).toBe(poolMode)
    const config = await pgBouncer.show('CONFIG')
    expect(config.find(({ key }) => key === 'pool_mode')?.value).toBe(poolMode)
  })

  test('takes any setting', async () => {
    await using pgBouncer = await startPgBouncer({ settings: { default_pool_size: 3 }, upstream: postgres })
    const config = await pgBouncer.show('CONFIG')
    expect(config.find(({ key }) => key === 'default_pool_size')?.value).toBe('3')
  })

  test('that cannot start fails with its log', async () => {
    const failing = startPgBouncer({ settings: { no_such_setting: 1 }, upstream: postgres })
    expect((await failureOf(failing)).message).toContain('no_such_setting')
  })
})

describe('a machine without PgBouncer', () => {
  const emptyCache = join(tmpdir(), `poolguard-empty-cache-${process.pid}`)
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.resetModules()
    rmSync(emptyCache, { recursive: true, force: true })
  })

  /** Without PATH there is neither a PgBouncer nor the shell that would unpack Debian's. */
  function onBareMachine() {
    for (const name of ['PATH', 'PGBOUNCER', 'POOLGUARD_TEST_BACKEND']) vi.stubEnv(name, '')
    vi.stubEnv('POOLGUARD_CACHE', emptyCache)
    vi.doMock('./docker.ts', () => ({ dockerAnswers: async () => false }))
    vi.resetModules()
    return import('./pgbouncer-availability.ts')
  }

  test('says in one line how to get one', async () => {
    const { pgBouncerAvailability } = await onBareMachine()
    const how = expect.stringMatching(/^PgBouncer 1\.18 is not available: set PGBOUNCER .*$/)
    expect(await pgBouncerAvailability('1.18')).toEqual({ available: false, how })
  })

  test('skips the tests and says why once, but fails in CI', async () => {
    const { describeWithPgBouncer } = await onBareMachine()
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    vi.stubEnv('CI', '')
    await describeWithPgBouncer()
    await describeWithPgBouncer()
    expect(warn).toHaveBeenCalledTimes(1)
    warn.mockRestore()
    vi.stubEnv('CI', 'true')
    expect((await failureOf(describeWithPgBouncer())).message).toContain('set PGBOUNCER')
  })
})

test('availability names version and place', async () => {
  const availability = await pgBouncerAvailability()
  if (availability.available) expect(availability.version).toMatch(/^1\.\d+/)
  else expect(availability.how).toContain('PGBOUNCER')
})
