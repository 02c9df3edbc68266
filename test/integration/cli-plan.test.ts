import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { describeWithPgBouncer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD, runPoolguard } from './run-poolguard.ts'

async function holding<T>(url: string, count: number, use: () => Promise<T>): Promise<T> {
  const clients = Array.from({ length: count }, () => new pg.Client(url))
  await Promise.all(clients.map((client) => client.connect()))
  try {
    return await use()
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

describe('poolguard plan', () => {
  test("reads the server's limits and the connections of other applications, and shows the arithmetic", async () => {
    await using server = await startPostgres({ maxConnections: 40 })
    const { code, stdout, stderr } = await holding(server.adminUrl, 4, () =>
      runPoolguard(['plan', '--instances', '4', '--max-surge', '25%', '--explain', '--cores', '2'], {
        env: { DATABASE_URL: server.url },
      }),
    )

    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('PostgreSQL, directly')
    expect(stdout).toContain('max_connections 40 - 3 reserved - 4 used by others = 33')
    expect(stdout).toContain('4 instances + 1 surge (25%) = 5 at once during a deploy')
    expect(stdout).toContain('max 5 for each pool')
    expect(stdout).toContain('more than the server can use')
    expect(stdout).not.toContain(new URL(server.url).password)
  })

  test("counts its own app's sessions as part of the budget", async () => {
    await using server = await startPostgres({ maxConnections: 40 })
    const ours = `${server.url}?application_name=orders`
    const run = (...args: string[]) => holding(ours, 10, () => runPoolguard(['plan', server.url, '--json', ...args]))

    const plan = JSON.parse((await run('--instances', '3')).stdout)
    expect(plan).toMatchObject({ fits: true, usable: 37, maxPerPool: 11, steps: expect.any(Array) })
    const others = JSON.parse((await run('--instances', '3', '--app', 'billing')).stdout)
    expect(others).toMatchObject({ usable: 27 })
  })

  test("as a superuser, counts the app's sessions as its own", async () => {
    await using server = await startPostgres({ maxConnections: 40 })
    const { stdout } = await holding(server.url, 10, () => runPoolguard(['plan', server.adminUrl, '--instances', '3']))

    expect(stdout).toContain('max_connections 40 - 3 reserved = 37')
    expect(stdout).toContain("All sessions in app count as the app's")
  })

  test('exits with 1 if the plan does not fit, and suggests a change', async () => {
    const { code, stdout } = await runPoolguard(['plan', '--max-connections', '20', '--instances', '15', '--json'])

    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      fits: false,
      code: 'POOLGUARD_BUDGET',
      message: expect.stringContaining('raise max_connections to 21'),
    })
  })

  test('prints invalid options as JSON, too', async () => {
    const { code, stdout } = await runPoolguard(['plan', '--instances', '0', '--json'])

    expect(code).toBe(2)
    expect(JSON.parse(stdout).error.message).toContain('at least 1')
  })

  test('a number for a formula implies --explain', async () => {
    const { stdout } = await runPoolguard(['plan', '--max-connections', '20', '--instances', '2', '--cores', '4'])

    expect(stdout).toContain('4 cores x 2')
  })

  test.each([
    ['one of two inputs of a formula', ['plan', '--instances', '2', '--held', '5'], '--checkouts'],
    ['no number of instances', ['plan', '--max-connections', '20'], '--instances'],
    ['no database', ['plan', '--instances', '2'], 'DATABASE_URL'],
    ['an unreachable database', ['plan', 'postgres://app:s3cret@127.0.0.1:1/app', '--instances', '2'], 'ECONNREFUSED'],
    [
      'an invalid URL',
      ['plan', 'mysql://app:s3cret@db/app', '--instances', '2'],
      'Invalid connection string: it starts with "mysql:"',
    ],
    ['an invalid number', ['plan', '--instances', 'many'], 'whole number'],
    ['a missing file', ['plan', '--instances', '2', '--dotenv', 'nowhere.env'], 'nowhere.env'],
    ['an unknown option', ['plan', '--instance', '2'], 'unknown option'],
    ['an unknown command', ['dance'], 'unknown command'],
  ])('given %s, exits with 2 and an error on standard error', async (_, args, says) => {
    const { code, stdout, stderr } = await runPoolguard(args)

    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(says)
    expect(stderr).not.toContain('s3cret')
    expect(stderr).not.toContain('    at ')
  })

  test.each([[['--help']], [['plan', '--help']], [['doctor', '--help']]])(
    '%j prints help and exits with 0',
    async (args) => {
      const { code, stdout } = await runPoolguard(args)

      expect(code).toBe(0)
      expect(stdout).toContain('Usage: poolguard')
    },
  )
})

// script of util-linux provides a pseudo-terminal without a native module.
const hasTerminal = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true

test.skipIf(!hasTerminal)('on a terminal, plan asks for missing numbers', async () => {
  // The new pseudo-terminal has no width yet.
  const command = `stty cols 100 rows 30; ${process.execPath} ${POOLGUARD} plan --max-connections 100`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: tmpdir(),
    env: cleanEnvironment({ TERM: 'xterm', NO_COLOR: '1' }),
  })
  let shown = ''
  child.stdout.on('data', (chunk) => {
    shown += chunk
  })
  const answer = async (question: string, text: string) => {
    await expect.poll(() => shown).toContain(question)
    child.stdin.write(`${text}\r`)
  }
  const { promise: closed, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)

  await answer('How many instances', '4')
  await answer('maxSurge', '')
  await answer('How many processes', '')

  expect(await closed).toBe(0)
  expect(shown).toContain('4 instances + 1 surge (25%) = 5 at once during a deploy')
  expect(shown).toContain('max 17 for each pool')
})

const describePgBouncer = await describeWithPgBouncer('1.24')
describePgBouncer('poolguard plan behind PgBouncer', () => {
  test("includes the pooler's limits if its console can be read", async () => {
    await using server = await startPostgres()
    await using pgBouncer = await startPgBouncer({
      version: '1.24',
      upstream: server,
      settings: { default_pool_size: 8, max_client_conn: 50 },
    })
    const plan = (...args: string[]) => runPoolguard(['plan', pgBouncer.url, '--instances', '4', ...args])

    const allowed = await plan('--pooler-url', pgBouncer.statsUrl)
    expect(allowed.stdout).toContain('pool size 8')
    expect(allowed.stdout).toContain('max 8 for each pool')
    expect((await plan()).stdout).toContain('Pass --pooler-url with a user in stats_users')
  })
})
