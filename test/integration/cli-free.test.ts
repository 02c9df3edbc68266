import { execFileSync, spawn } from 'node:child_process'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { describeWhere, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { OUTAGES } from '../outages/outages.ts'
import { POOLGUARD, runPoolguard } from './run-poolguard.ts'

interface Opened extends AsyncDisposable {
  readonly pids: readonly number[]
}

/** Sessions that have run some statements. */
async function open(url: string, count: number, statements: readonly string[] = ['select 1']): Promise<Opened> {
  const clients = Array.from(
    { length: count },
    () => new pg.Client({ connectionString: url, application_name: 'orders' }),
  )
  const pids: number[] = []
  for (const client of clients) {
    client.on('error', () => {})
    await client.connect()
    pids.push((await client.query('select pg_backend_pid() as pid')).rows[0].pid)
    for (const statement of statements) await client.query(statement)
  }
  return {
    pids,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
    },
  }
}

async function left(server: PostgresServer, { pids }: Opened): Promise<number> {
  const [row] = await server.query('select count(*)::int as n from pg_stat_activity where pid = any($1)', [pids])
  return row?.n
}

async function untilUnchanged(server: PostgresServer, { pids }: Opened): Promise<void> {
  const query = `select bool_and(state_change < now() - interval '1 second') as old from pg_stat_activity where pid = any($1)`
  await waitUntil(async () => (await server.query(query, [pids]))[0]?.old, { what: 'a second without a change' })
}

describe('poolguard free', () => {
  test('ends idle transactions and idle sessions, and says what came free', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    await using paused = await open(server.url, 3, ['begin', "select 'card 4111'"])
    await using idle = await open(server.url, 2)
    await using admin = await open(server.adminUrl, 1)
    await untilUnchanged(server, admin)
    const { code, stdout } = await runPoolguard(['free', server.adminUrl, '--older-than', '1s', '--yes'])

    expect(stdout).toContain('Sessions ended: 5 of 5. Connections that came free: 5. Open now: 1 of 17 (6 before).')
    expect(code).toBe(0)
    expect([await left(server, paused), await left(server, idle), await left(server, admin)]).toEqual([0, 0, 1])
  })

  test('lists candidates by reason and process, and ends none with --dry-run', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    await using paused = await open(server.url, 1, ['begin', "select 'card 4111'"])
    await using idle = await open(server.url, 2)
    await untilUnchanged(server, idle)
    const args = ['free', server.url, '--older-than', '1s', '--dry-run']
    const { code, stdout } = await runPoolguard(args)
    const quiet = await runPoolguard([...args, '--show-queries=no'])
    const json = await runPoolguard([...args, '--json', '--limit', '1'])

    expect(stdout).toContain('Idle in transaction: 1. Ending one rolls its transaction back.')
    expect(stdout).toContain(`pid ${paused.pids[0]} (127.0.0.1:`)
    // Strings may be data.
    expect(stdout).toContain("last query: select '***'")
    expect(stdout).not.toContain('card 4111')
    expect(stdout).toContain('application_name orders, role app')
    expect(quiet.stdout).not.toContain('last query')
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ dryRun: true, usedBefore: 3, usable: 17, hidden: 0 },
      candidates: [{ reason: 'idle in transaction', pid: paused.pids[0], application: 'orders', role: 'app' }],
    })
    expect(code).toBe(1)
    expect([await left(server, paused), await left(server, idle)]).toEqual([1, 2])
  })

  test('ends the session that the others wait for', async () => {
    await using outage = await OUTAGES.lock?.()
    if (!outage) throw new Error('there is no such outage')
    const { code, stdout } = await runPoolguard(['free', ...outage.asApp, '--yes'])
    await waitUntil(async () => (await outage.server.query('select from pg_locks where not granted')).length === 0, {
      what: 'the others to continue',
    })

    expect(stdout).toContain('Sessions ended: 1 of 1.')
    expect(code).toBe(0)
  })

  test('without a terminal, ends nothing unless --yes is given', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    await using paused = await open(server.url, 2, ['begin'])
    await untilUnchanged(server, paused)
    const { code, stderr } = await runPoolguard(['free', server.url, '--older-than', '1s'])

    expect(stderr).toContain('Nothing was ended: 2 sessions are candidates')
    expect(code).toBe(2)
    expect(await left(server, paused)).toBe(2)
  })

  test('says what it cannot see, and what the server does not let it end', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    await server.query(`create role watcher login password 'app_password' in role pg_read_all_stats`)
    await server.query(`create role blind login password 'app_password'`)
    await using idle = await open(server.url, 2)
    await untilUnchanged(server, idle)
    const free = (user: string) => runPoolguard(['free', server.urlFor({ user }), '--older-than', '1s', '--yes'])
    const [blind, watcher] = [await free('blind'), await free('watcher')]

    expect(blind.stdout).toContain('2 sessions of other roles are hidden from this role')
    expect(watcher.stdout).toContain('2 could not be ended: permission denied to terminate process')
    expect([blind.code, watcher.code]).toEqual([0, 1])
    expect(await left(server, idle)).toBe(2)
  })

  test('on a server without a free connection, says what else to do', async () => {
    await using server = await startPostgres({ maxConnections: 8 })
    await using _all = await open(server.url, 5)
    const { code, stderr } = await runPoolguard(['free', server.url])

    expect(stderr).toContain('If the server is full, pass the URL of a superuser')
    expect(code).toBe(2)
  })
})

function missingScript(): Error | undefined {
  try {
    execFileSync('script', ['--version'])
    return undefined
  } catch {
    return new Error('the program `script` of util-linux, which imitates a terminal, is missing')
  }
}

const describeOnTerminal = await describeWhere(missingScript())
describeOnTerminal('poolguard free on a terminal', () => {
  test.each([
    ['n', 2],
    ['y', 0],
  ])('lists the sessions, asks, and given %s leaves %i', async (answer, remaining) => {
    await using server = await startPostgres({ maxConnections: 20 })
    await using paused = await open(server.url, 2, ['begin'])
    await untilUnchanged(server, paused)
    const command = `stty cols 80 rows 24; ${process.execPath} ${POOLGUARD} free ${server.url} --older-than 1s`
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let shown = ''
    child.stdout.on('data', (data) => {
      shown += data
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    await expect.poll(() => shown).toContain('End these 2 sessions?')
    child.stdin.write(answer)
    await closed

    expect(shown).toContain('Idle in transaction: 2.')
    expect(await left(server, paused)).toBe(remaining)
  })
})
