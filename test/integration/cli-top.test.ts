import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithTerminal, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { openTop } from './open-top.ts'

const describe = await describeWithTerminal()

async function connect(url: string, application: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: application })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end().catch(() => {}))
  return client
}

async function pidOf(client: pg.Client): Promise<number> {
  return (await client.query('select pg_backend_pid() as pid')).rows[0].pid
}

/** `billing` holds a lock in a transaction, and two sessions of `web` wait for it. */
async function stageChain(server: PostgresServer): Promise<{ readonly blocker: number }> {
  await server.query('create table things (n int)')
  await server.query('insert into things values (1)')
  await server.query('grant all on things to app')
  const billing = await connect(server.url, 'billing')
  const blocker = await pidOf(billing)
  await billing.query('begin')
  await billing.query('update things set n = 2')
  for (const application of ['web', 'web'])
    (await connect(server.url, application)).query('update things set n = 3').catch(() => {})
  const waiting = 'select count(*)::int as n from pg_locks where not granted'
  await waitUntil(async () => (await server.query(waiting))[0]?.n === 2, { what: 'two waiters' })
  return { blocker }
}

describe('poolguard top', () => {
  test('shows who blocks whom, the details of the blocker, and terminates it after asking', async () => {
    await using server = await startPostgres({ maxConnections: 20 })
    const { blocker } = await stageChain(server)
    const terminal = await openTop(server.url)
    await terminal.waitFor('3 of 17 connections')
    await terminal.press('4')
    const chain = await terminal.waitFor(/\+- \d+/)

    expect(chain).toMatch(new RegExp(`> ${blocker} +2 billing +idle in transaction`))
    expect(chain.match(/ web +waits for a lock/g)).toHaveLength(2)
    await terminal.press('Enter')
    const details = await terminal.waitFor('RowExclusiveLock public.things')
    expect(details).toContain(`Session ${blocker}`)
    expect(details).toContain('update things set n = 2')
    expect(details).toMatch(/state +idle in transaction for \d+ s/)
    await terminal.press('t')
    await terminal.waitFor('Terminate this session?')
    await terminal.press('n')
    await terminal.waitFor('Esc back')
    await terminal.press('t', 'y')
    await terminal.waitFor('has ended')
    await waitUntil(async () => (await server.query('select from pg_locks where not granted')).length === 0, {
      what: 'the waiters to continue',
    })
    await terminal.press('Escape')
    expect(await terminal.waitFor('No session waits for a lock.')).not.toContain(String(blocker))
  })

  test('sorts, filters, shows the sessions of an application, and freezes', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    for (const application of ['orders', 'orders', 'orders', 'reports', 'reports', 'mail'])
      await connect(server.url, application)
    const terminal = await openTop(server.adminUrl)
    await terminal.waitFor(/> orders.*\n {2}reports.*\n {2}mail/)
    await terminal.press('r')
    await terminal.waitFor(/> mail.*\n {2}reports.*\n {2}orders/)
    await terminal.type('/repo')
    await terminal.waitFor(/ \/?repo|\/repo_/)
    await terminal.press('Enter')
    expect(await terminal.waitFor('filter: repo')).not.toContain('orders')
    await terminal.press('Enter')
    expect((await terminal.waitFor('only reports')).match(/^[> ] +\d+ reports +idle/gm)).toHaveLength(2)
    await terminal.press('Escape')
    // A key right after Escape would be Alt with that key.
    await terminal.waitFor('[1 Applications]')
    await terminal.press('Space')
    await terminal.waitFor('[frozen]')
    await connect(server.url, 'late')
    await waitUntil(async () => (await server.connectionCount()) >= 7, { what: 'the late session' })
    await terminal.press('C-l')
    expect(await terminal.waitFor('[frozen]')).not.toContain('late')
    await terminal.press('Space')
    await terminal.waitFor('late')
  })

  test('cancels a statement, and leaves its session', async () => {
    await using server = await startPostgres()
    const client = await connect(server.url, 'slow')
    const cancelled = client.query('select pg_sleep(600)').then(
      () => 'done',
      (error: Error) => error.message,
    )
    const terminal = await openTop(server.url)
    await terminal.waitFor('slow')
    await terminal.press('3')
    await terminal.waitFor('pg_sleep')
    await terminal.press('c')
    await terminal.waitFor('Cancel its statement?')
    await terminal.press('y')
    await terminal.waitFor('Cancelled the statement')

    expect(await cancelled).toBe('canceling statement due to user request')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('says which right is missing', async () => {
    await using server = await startPostgres()
    await connect(server.adminUrl, 'boss')
    const terminal = await openTop(server.url, { columns: 200 })
    await terminal.waitFor('boss')
    await terminal.press('3', 't')
    await terminal.waitFor('grant pg_read_all_stats and pg_signal_backend')
    await server.query('grant pg_read_all_stats to app')
    await terminal.waitFor(/boss .*idle/)
    await terminal.press('t')
    await terminal.waitFor('Terminate this session?')
    await terminal.press('y')

    await terminal.waitFor(/permission denied.* Connect as postgres or a superuser, or grant pg_signal_backend\./)
  })

  test('keeps the last answer while the server is away, and shows it again when it is back', async () => {
    await using server = await startPostgres()
    await connect(server.url, 'before')
    const terminal = await openTop(server.url)
    await terminal.waitFor('before')
    await server.kill('SIGQUIT')

    expect(await terminal.waitFor('no answer from the server; retrying')).toContain('before')
    await server.restart()
    await connect(server.url, 'after')
    expect(await terminal.waitFor('after')).not.toContain('no answer')
  })

  test('fits itself to the size of the terminal', async () => {
    await using server = await startPostgres()
    await connect(server.url, 'orders')
    const terminal = await openTop(server.url, { args: '--lang zh' })
    await terminal.waitFor('orders')
    await terminal.press('3')
    expect(await terminal.waitFor('语句')).not.toContain('角色')
    await terminal.resize(120, 40)
    const wide = await terminal.waitFor('角色')
    expect(wide.trimEnd().split('\n')).toHaveLength(40)
    await terminal.resize(30, 8)
    await terminal.waitFor('终端太小')
    await terminal.resize(80, 24)
    await terminal.waitFor('q 退出')
  })

  test('uses no colour with NO_COLOR, and marks the selected row in another way', async () => {
    await using server = await startPostgres()
    await connect(server.url, 'orders')
    const plain = await openTop(server.url, { env: { NO_COLOR: '1' } })
    const coloured = await openTop(server.url)
    await plain.waitFor('> orders')
    await coloured.waitFor('> orders')

    expect(await plain.styled()).not.toContain('\u001b')
    expect(await coloured.styled()).toContain('\u001b[')
  })

  test('nothing that the server says reaches the terminal as an escape sequence', async () => {
    await using server = await startPostgres()
    const evil = '\u001b]0;owned\u0007\u001b[2J\u001b[31m\u202e\u009b'
    await server.query(`create role "${evil}" login password 'app_password' in role pg_read_all_stats`)
    const client = await connect(server.url, `mail${evil}`)
    await client.query(`select 1 as "${evil}"`)
    const url = new URL(server.url)
    url.username = encodeURIComponent(evil)
    await connect(url.href, 'evil')
    const terminal = await openTop(server.adminUrl, { columns: 160, env: { NO_COLOR: '1' } })
    const title = await terminal.title()
    await terminal.waitFor('\\x1b]0;owned\\x07')
    await terminal.press('3')
    await terminal.waitFor('select 1 as "\\x1b]0;')
    await terminal.press('Enter')
    await terminal.waitFor('statement')

    expect(await terminal.styled()).not.toContain('\u001b')
    expect(await terminal.title()).toBe(title)
  })
})
