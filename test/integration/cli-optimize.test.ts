import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD, type Run, runPoolguard } from './run-poolguard.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolguard-optimize-'))
})
afterEach(() => rm(folder, { recursive: true }))

const RECOMMENDED = {
  idle_in_transaction_session_timeout: '1min',
  client_connection_check_interval: '10s',
  tcp_keepalives_idle: '60',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '6',
}

function optimize(url: string, ...args: string[]): Promise<Run> {
  return runPoolguard(['optimize', url, ...args], { folder })
}

/** Standings by setting. */
function standings({ stdout }: Run): Record<string, string> {
  const { settings } = JSON.parse(stdout) as { settings: { name: string; standing: string }[] }
  return Object.fromEntries(settings.map(({ name, standing }) => [name, standing]))
}

async function show(server: PostgresServer, names: readonly string[]): Promise<Record<string, string>> {
  const rows = await server.query<{ name: string; shown: string }>(
    'select name, current_setting(name) as shown from pg_settings where name = any($1)',
    [names],
  )
  return Object.fromEntries(rows.map(({ name, shown }) => [name, shown]))
}

const all = (standing: string) => Object.fromEntries(Object.keys(RECOMMENDED).map((name) => [name, standing]))

/** A restart command that waits until this process has run `action`. */
function restartBy(action: () => Promise<unknown>): { command: string; done: () => Promise<void> } {
  const [asked, done] = [join(folder, 'asked'), join(folder, 'done')]
  return {
    command: `touch ${asked}; until [ -e ${done} ]; do sleep 0.05; done`,
    done: async () => {
      await waitUntil(() => existsSync(asked), { what: 'the restart command runs', deadlineMillis: 20_000 })
      await action()
      await writeFile(done, '')
    },
  }
}

describe.each([[15], [18]] as const)('poolguard optimize, PostgreSQL %i', (version) => {
  test('prints the changes, applies them with --apply, and then has no changes left', async () => {
    await using server = await startPostgres({ version })
    const dry = await optimize(server.adminUrl)
    expect(dry.code).toBe(1)
    expect(dry.stdout).toContain('change  idle_in_transaction_session_timeout  0 -> 1min  (on reload)')
    expect(dry.stdout).toContain('Nothing was changed. To apply the changes, add: --apply')
    expect(dry.stdout).not.toContain(new URL(server.adminUrl).password)
    expect(await server.query("select * from pg_file_settings where sourcefile like '%auto.conf'")).toEqual([])

    const applied = await optimize(server.adminUrl, '--apply', '--yes')
    expect(applied.stdout).toContain('done    idle_in_transaction_session_timeout  0 -> 1min')
    expect(applied.stdout).toContain('To undo: alter system reset "idle_in_transaction_session_timeout";')
    expect(applied.code).toBe(0)
    expect(await show(server, Object.keys(RECOMMENDED))).toEqual(RECOMMENDED)

    const again = await optimize(server.adminUrl, '--apply', '--yes', '--json')
    expect(standings(again)).toEqual(all('fine'))
    expect(again.code).toBe(0)
  })

  test('settings that need a restart wait for one, or for --restart-command', async () => {
    await using server = await startPostgres({ version, maxConnections: 20 })
    const args = ['--max-connections', '30', '--memory', '512MB', '--apply', '--yes']
    const waiting = await optimize(server.adminUrl, ...args)
    expect(waiting.stdout).toContain('waits   max_connections  20 -> 30  (after a restart)')
    expect(waiting.code).toBe(1)
    const later = await optimize(server.adminUrl, '--json')
    expect(standings(later)).toEqual({ max_connections: 'waits', shared_buffers: 'waits', ...all('fine') })
    expect(later.code).toBe(1)

    const restart = restartBy(() => server.restart())
    const [restarted] = await Promise.all([
      optimize(server.adminUrl, ...args, '--restart-command', restart.command),
      restart.done(),
    ])
    expect(restarted.stdout).toContain('done    max_connections  20 -> 30')
    expect(restarted.stdout).toContain('done    shared_buffers  16MB -> 128MB')
    expect(restarted.stdout).toContain('All settings are in force.')
    expect(restarted.code).toBe(0)
    expect(await show(server, ['max_connections', 'shared_buffers'])).toEqual({
      max_connections: '30',
      shared_buffers: '128MB',
    })
  })

  test('a role that may not ALTER SYSTEM gets its own settings, and a hint about the others', async () => {
    await using server = await startPostgres({ version })
    const args = ['--max-connections', '200', '--json']
    const dry = await optimize(server.url, ...args)
    expect(standings(dry)).toEqual({ max_connections: 'elsewhere', ...all('change') })

    const applied = await optimize(server.url, ...args, '--apply', '--yes')
    expect(standings(applied)).toEqual({ max_connections: 'elsewhere', ...all('done') })
    expect(applied.stdout).toContain('parameter group')
    expect(applied.code).toBe(1)
    expect(await server.query("select useconfig[1] as first from pg_user where usename = 'app'")).toEqual([
      { first: 'idle_in_transaction_session_timeout=60s' },
    ])
    const again = await optimize(server.url, '--apply', '--yes', '--json')
    expect(standings(again)).toEqual(all('fine'))
    expect(again.code).toBe(0)
  })
})

describe('poolguard optimize leaves alone', () => {
  test('values set on purpose, and reports them', async () => {
    await using server = await startPostgres({
      settings: { idle_in_transaction_session_timeout: '5min', work_mem: '64MB' },
    })
    const { stdout } = await optimize(server.adminUrl, '--memory', '1GB', '--apply', '--yes')

    expect(stdout).toMatch(
      /kept {4}idle_in_transaction_session_timeout {2}5min\n +set in .*postgresql\.conf:\d+; recommended: 60s/,
    )
    expect(stdout).toMatch(/kept {4}work_mem {2}64MB\n +set in .*postgresql\.conf:\d+/)
    expect(await show(server, ['work_mem', 'idle_in_transaction_session_timeout'])).toEqual({
      work_mem: '64MB',
      idle_in_transaction_session_timeout: '5min',
    })
  })

  test('and warns before it lowers a value', async () => {
    await using server = await startPostgres({ maxConnections: 40 })
    const { stdout } = await optimize(server.adminUrl, '--max-connections', '30')

    expect(stdout).toMatch(
      /max_connections {2}40 -> 30 .*\n.*\n +lowers the current value \(set in .*postgresql\.conf:\d+/,
    )
  })

  test("a role's own settings", async () => {
    await using server = await startPostgres()
    await server.query('alter role postgres set idle_in_transaction_session_timeout = 0')
    const { settings } = JSON.parse((await optimize(server.adminUrl, '--json')).stdout)

    expect(settings[0]).toMatchObject({ standing: 'kept', note: expect.stringContaining('ALTER ROLE') })
  })
})

describe('poolguard optimize, if ALTER SYSTEM has no effect', () => {
  test('reports a value from the command line, and does not write it', async () => {
    await using server = await startPostgres({ arguments: ['-c', 'max_connections=25'] })
    const { code, stdout } = await optimize(server.adminUrl, '--max-connections', '50', '--apply', '--yes')

    expect(code).toBe(1)
    expect(stdout).toContain("set by the server's command line, which overrides ALTER SYSTEM")
    expect(
      await server.query("select * from pg_file_settings where name = 'max_connections' and setting = '50'"),
    ).toEqual([])
  })

  test('reports allow_alter_system = off', async () => {
    await using server = await startPostgres({ settings: { allow_alter_system: 'off' } })
    const { stdout } = await optimize(server.adminUrl, '--max-connections', '50', '--json')

    expect(standings({ code: 1, stdout, stderr: '' })).toEqual({ max_connections: 'elsewhere', ...all('change') })
    expect(stdout).toContain('allow_alter_system is off')
  })

  test('names a broken configuration file, with the line', async () => {
    await using server = await startPostgres()
    const [row] = await server.query<{ file: string }>("select current_setting('config_file') as file")
    await writeFile(String(row?.file), 'statement_timeout = = soon\n', { flag: 'a' })
    const { code, stdout } = await optimize(server.adminUrl, '--apply', '--yes')

    expect(code).toBe(1)
    expect(stdout).toMatch(
      /failed {2}idle_in_transaction.*\n.*\n.*rejects its configuration files: .*postgresql\.conf:\d+/,
    )
  })
})

test('--apply refuses without a terminal, changes nothing, and says what a restart ends', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const clients = Array.from({ length: 3 }, () => new pg.Client(server.url))
  await Promise.all(clients.map((client) => client.connect()))
  const args = ['--max-connections', '50', '--apply', '--restart-command', 'true']
  const refused = await optimize(server.adminUrl, ...args)
  const asJson = await optimize(server.adminUrl, ...args, '--json')
  const dry = await optimize(server.adminUrl, '--max-connections', '50', '--json')
  await Promise.all(clients.map((client) => client.end()))

  expect([refused.code, asJson.code]).toEqual([2, 2])
  expect(refused.stderr).toContain('Pass --yes')
  expect(refused.stderr).toContain('A restart ends all sessions: 3 are open now')
  expect(JSON.parse(asJson.stdout).error).toMatchObject({ code: 'CANNOT_RUN' })
  expect(JSON.parse(dry.stdout)).toMatchObject({ applied: false, sessions: 3 })
  expect(await server.query('select 1 from pg_settings where pending_restart')).toEqual([])
  expect(await server.query("select 1 from pg_file_settings where sourcefile like '%auto.conf'")).toEqual([])
})

describe('poolguard optimize, if the restart fails', () => {
  const args = ['--max-connections', '50', '--apply', '--yes', '--restart-timeout', '2']

  test('reports a server that stays down, with the steps to undo the changes', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    const restart = restartBy(() => server.kill('SIGINT'))
    const [run] = await Promise.all([
      optimize(server.adminUrl, ...args, '--restart-command', restart.command),
      restart.done(),
    ])

    expect(run.code).toBe(1)
    expect(run.stdout).toContain('PostgreSQL did not accept connections within 2 s. See its log.')
    expect(run.stdout).toMatch(/edit .*\/postgresql\.auto\.conf, and start the server:\n {2}remove max_connections\n/)
  })

  test('reports a command that fails with its last line, and a command that restarts nothing', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    const failed = await optimize(server.adminUrl, ...args, '--restart-command', 'echo no such unit >&2; exit 5')
    expect(failed.code).toBe(1)
    expect(failed.stdout).toContain('The restart command exited with 5: no such unit.')
    expect(failed.stdout).toContain('waits   max_connections  20 -> 50')

    const idle = await optimize(server.adminUrl, ...args, '--restart-command', 'true')
    expect(idle.code).toBe(1)
    expect(idle.stdout).toContain('PostgreSQL is running, but did not restart within 2 s')
  })
})

test('poolguard optimize checks whether the instances fit into the new max_connections', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const fits = await optimize(server.adminUrl, '--instances', '6', '--max-connections', '60')
  expect(fits.stdout).toContain('max_connections 60 - 3 reserved = 57')
  expect(fits.stdout).toContain('max 8 for each pool')

  const unfit = await optimize(server.adminUrl, '--instances', '60')
  expect(unfit.code).toBe(1)
  expect(unfit.stdout).toContain('The plan does not fit. 60 instances cannot share 14 connections')
})

test('rejects a number of connections with which the server would not start', async () => {
  await using server = await startPostgres()
  const { code, stderr } = await optimize(server.adminUrl, '--max-connections', '3', '--apply', '--yes')

  expect(code).toBe(2)
  expect(stderr).toContain('would not start with --max-connections 3, because 3 slots are reserved')
})

test.each([
  ['no server', ['optimize', 'postgres://app:s3cret@127.0.0.1:1/app'], 'ECONNREFUSED'],
  ['no address', ['optimize'], 'DATABASE_URL'],
  ['no number', ['optimize', '--max-connections', 'many'], 'whole number'],
])('given %s, exits with 2 and an error on standard error', async (_, args, says) => {
  const { code, stdout, stderr } = await runPoolguard(args)

  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(says)
  expect(stderr).not.toContain('s3cret')
})

const describePgBouncer = await describeWithPgBouncer('1.24')
describePgBouncer('poolguard optimize behind PgBouncer', () => {
  test('bypasses it with DIRECT_URL, and rejects it otherwise', async () => {
    await using server = await startPostgres()
    await using pgBouncer = await startPgBouncer({ version: '1.24', upstream: server })
    const refused = await optimize(pgBouncer.url)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('Pass the direct URL, or set DIRECT_URL.')

    const env = { DATABASE_URL: pgBouncer.url, DIRECT_URL: server.adminUrl }
    const { stdout } = await runPoolguard(['optimize', '--json'], { env })
    expect(JSON.parse(stdout).settings).toHaveLength(5)
  })
})

// script of util-linux provides a pseudo-terminal without a native module.
const hasTerminal = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') === true

test.skipIf(!hasTerminal).each([
  ['no', 'n', 2, '0'],
  ['yes', 'y', 0, '1min'],
])('on a terminal, asks for confirmation and accepts %s', async (_, answer, code, timeout) => {
  await using server = await startPostgres()
  const command = `stty cols 120 rows 40; ${process.execPath} ${POOLGUARD} optimize ${server.adminUrl} --apply`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: cleanEnvironment({ TERM: 'xterm', NO_COLOR: '1' }),
  })
  let shown = ''
  child.stdout.on('data', (chunk) => {
    shown += chunk
  })
  const { promise: closed, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  await expect.poll(() => shown).toContain('Apply these 5?')
  expect(shown).toContain('0 -> 1min')
  child.stdin.write(answer)

  expect(await closed).toBe(code)
  expect(await show(server, ['idle_in_transaction_session_timeout'])).toEqual({
    idle_in_transaction_session_timeout: timeout,
  })
})
