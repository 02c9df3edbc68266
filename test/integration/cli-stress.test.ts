import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { describeWithPgBouncer, hasSignals, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD, runPoolguard } from './run-poolguard.ts'

test('serves more callers than connections, on at most --max connections', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const { code, stdout } = await runPoolguard([
    ...['stress', server.url, '--concurrency', '40', '--duration', '1', '--max', '5', '--json'],
    ...['--transaction', 'select 1', '--transaction', 'select pg_sleep(0.005)'],
  ])

  const result = JSON.parse(stdout)
  expect(result).toMatchObject({ passed: true, failed: 0, errors: [] })
  expect(result.requests).toBeGreaterThan(0)
  expect(result.serverConnections.length).toBeGreaterThan(0)
  expect(Math.max(...result.serverConnections)).toBeLessThanOrEqual(5)
  expect(code).toBe(0)
})

test('counts the errors of a failing statement and exits with 1', async () => {
  await using server = await startPostgres()
  const args = ['stress', server.url, '--concurrency', '2', '--duration', '1', '--query', 'select 1/0']
  const { code, stdout } = await runPoolguard(args)

  expect(stdout).toMatch(/\d+ x 22012: division by zero/)
  expect(stdout).toContain('No request succeeded.')
  expect(code).toBe(1)
})

test.each([
  ['no server', ['stress', 'postgres://app:s3cret@127.0.0.1:1/app'], 'ECONNREFUSED'],
  ['a day', ['stress', '--duration', '86400'], 'at most 600'],
  ['a word after a statement', ['stress', '--transaction', 'select 1', 'app:s3cret@db'], 'Invalid connection string'],
  ['more than 100 % errors', ['stress', '--max-errors', '101'], '0 to 100'],
  ['a query and a transaction', ['stress', '--query', 'select 1', '--transaction', 'select 1'], 'cannot be used with'],
])('given %s, exits with 2', async (_, args, says) => {
  const { code, stderr } = await runPoolguard(args)

  expect(code).toBe(2)
  expect(stderr).toContain(says)
  expect(stderr).not.toContain('s3cret')
})

test.skipIf(!hasSignals)('prints the report when interrupted', async () => {
  await using server = await startPostgres()
  const ended = runPoolguard(['stress', server.url, '--duration', '600', '--json'], {
    interruptWhen: () => waitUntil(async () => (await server.connectionCount()) > 5, { what: 'the load' }),
  })

  expect(JSON.parse((await ended).stdout)).toMatchObject({ passed: true })
})

const describe = await describeWithPgBouncer('1.24')
describe('behind PgBouncer', () => {
  test('shows how many server connections the clients use', async () => {
    await using server = await startPostgres()
    await using pgBouncer = await startPgBouncer({
      version: '1.24',
      upstream: server,
      settings: { default_pool_size: 4, reserve_pool_size: 0 },
    })
    const args = ['stress', pgBouncer.url, '--concurrency', '30', '--max', '30', '--duration', '1', '--json']
    const result = JSON.parse((await runPoolguard(args)).stdout)

    expect(result).toMatchObject({ passed: true, failed: 0 })
    expect(Math.max(...result.serverConnections)).toBeLessThanOrEqual(4)
  })
})

// script of util-linux provides a pseudo-terminal without a native module.
const hasTerminal = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true

test.skipIf(!hasTerminal)('on a terminal, Ctrl+C stops the load and prints the report', async () => {
  await using server = await startPostgres()
  // The new pseudo-terminal has no width yet.
  const command = `stty cols 100 rows 30; ${process.execPath} ${POOLGUARD} stress '${server.url}' --duration 600`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: tmpdir(),
    env: cleanEnvironment({ TERM: 'xterm', NO_COLOR: '1' }),
  })
  let shown = ''
  child.stdout.on('data', (chunk) => {
    shown += chunk
  })
  const closed = Promise.withResolvers<number | null>()
  child.once('close', closed.resolve)

  await waitUntil(() => /of 600 s, [1-9]/.test(shown), { what: 'the load runs', deadlineMillis: 20_000 })
  child.stdin.write('\u0003')

  await closed.promise
  expect(shown).toMatch(/latency: p50/)
})
