import { expect, test } from 'vitest'
import { describeWithPgBouncer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { type Run, runPoolguard } from './run-poolguard.ts'

function statusesOf({ stdout }: Run): Record<string, string> {
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] }
  return Object.fromEntries(checks.map(({ name, status }) => [name, status]))
}

test('poolguard verify checks a direct PostgreSQL and leaves no connection open', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const run = await runPoolguard(['verify', server.url, '--expect', 'direct', '--json'], {
    env: { PGAPPNAME: 'deployment' },
  })

  expect(statusesOf(run)).toEqual({
    reached: 'passed',
    expected: 'passed',
    query: 'passed',
    transaction: 'passed',
    'prepared statements': 'passed',
    figures: 'passed',
    concurrency: 'passed',
    'direct URL': 'skipped',
  })
  expect(run.code).toBe(0)
  await expect.poll(() => server.connectionCount()).toBe(0)
})

test('fails the first check on an unreachable server', async () => {
  const { code, stdout } = await runPoolguard(['verify', 'postgres://app:s3cret@127.0.0.1:1/app'])

  expect(code).toBe(1)
  expect(stdout).toMatch(/^failed +reached .*ECONNREFUSED/)
  expect(stdout).not.toContain('s3cret')
})

test('exits with 2 without a database', async () => {
  const { code, stderr } = await runPoolguard(['verify'])

  expect([code, stderr]).toEqual([2, expect.stringContaining('DATABASE_URL')])
})

for (const [version, safe] of [
  ['1.18', false],
  ['1.24', true],
] as const) {
  const describe = await describeWithPgBouncer(version)
  describe(`behind PgBouncer ${version}`, () => {
    test('checks the pooler against --expect and --prepared', async () => {
      await using server = await startPostgres({ maxConnections: 20 })
      await using pgBouncer = await startPgBouncer({ version, upstream: server })
      const verify = (...args: string[]) =>
        runPoolguard(['verify', '--pooler-url', pgBouncer.statsUrl, '--json', ...args], {
          env: { DATABASE_URL: pgBouncer.url, DIRECT_URL: server.url },
        })

      const plain = await verify('--expect', 'transaction', '--concurrency', '100')
      expect(statusesOf(plain)).toMatchObject({
        expected: 'passed',
        transaction: 'passed',
        'prepared statements': safe ? 'passed' : 'skipped',
        figures: 'passed',
        concurrency: 'passed',
        'direct URL': 'passed',
      })
      expect(plain.code).toBe(0)
      const demanding = await verify('--prepared', '--expect', 'session')
      expect(statusesOf(demanding)).toMatchObject({
        expected: 'failed',
        'prepared statements': safe ? 'passed' : 'failed',
      })
      expect(demanding.code).toBe(1)
    })

    test('skips the console for a user without access to it', async () => {
      await using server = await startPostgres({ maxConnections: 20 })
      await using pgBouncer = await startPgBouncer({ version, upstream: server })
      const run = await runPoolguard(['verify', pgBouncer.url, '--json'])

      expect(statusesOf(run)).toMatchObject({ figures: 'skipped' })
      expect(run.code).toBe(0)
    })

    test("given the console's URL, asks for the app's", async () => {
      await using server = await startPostgres({ maxConnections: 20 })
      await using pgBouncer = await startPgBouncer({ version, upstream: server })
      const run = await runPoolguard(['verify', pgBouncer.statsUrl])

      expect(run.stdout).toContain("PgBouncer's console")
      expect(run.stdout).toContain('--pooler-url')
      expect(run.stdout).toContain('1 of 1 checks failed.')
    })

    test('detects a DIRECT_URL that leads to the pooler', async () => {
      await using server = await startPostgres()
      await using pgBouncer = await startPgBouncer({ version, upstream: server })
      const run = await runPoolguard(['verify', '--json'], {
        env: { DATABASE_URL: server.url, DIRECT_URL: pgBouncer.url },
      })

      expect(statusesOf(run)).toMatchObject({ reached: 'passed', 'direct URL': 'failed' })
    })
  })
}
