import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { runPoolguard } from './run-poolguard.ts'

interface Finding {
  readonly rule: string
  readonly evidence: string
  readonly change: string
  readonly now?: readonly { readonly text: string; readonly run: string }[]
  readonly data: Readonly<Record<string, unknown>>
}

async function findingsOf(url: string, ...args: readonly string[]): Promise<readonly Finding[]> {
  const { stdout } = await runPoolguard([
    'doctor',
    url,
    '--json',
    '--ignore',
    'no-idle-in-transaction-timeout',
    ...args,
  ])
  return JSON.parse(stdout).findings
}

/** Clients that end with the test. */
class Clients implements AsyncDisposable {
  readonly #clients: pg.Client[] = []

  async open(url: string, name = 'orders'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, application_name: name })
    client.on('error', () => {})
    await client.connect()
    this.#clients.push(client)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end().catch(() => {})))
  }
}

async function pidOf(client: pg.Client): Promise<number> {
  return (await client.query('select pg_backend_pid() as pid')).rows[0].pid
}

/** Runs what a finding says, as a superuser. */
async function runStep(server: PostgresServer, { now = [] }: Finding, index = 0): Promise<void> {
  await server.query(now[index]?.run ?? '')
}

async function until(server: PostgresServer, query: string, what: string): Promise<void> {
  await waitUntil(async () => Object.values((await server.query(query))[0] ?? {})[0] === true, {
    what,
    deadlineMillis: 100_000,
  })
}

// One of them waits for a minute; each has a server of its own.
describe.concurrent('poolguard doctor sees', () => {
  test('old transactions, queries, idle transactions and prepared transactions, and ends them', async () => {
    await using server = await startPostgres({ settings: { max_prepared_transactions: 5 } })
    await using clients = new Clients()
    const forgotten = await clients.open(server.url)
    await forgotten.query('begin')
    const preparing = await clients.open(server.url)
    await preparing.query(`begin; create table made (id int); prepare transaction 'order-1'`)
    const reporting = await clients.open(server.url, 'reports')
    reporting.query('select pg_sleep(3600)').catch(() => {})
    const batching = await clients.open(server.url, 'batch')
    await batching.query('begin')
    const working = setInterval(() => batching.query('select 1').catch(() => {}), 500)
    await until(
      server,
      `select min(clock_timestamp() - xact_start) > interval '61 seconds' from pg_stat_activity where usename = 'app' and xact_start is not null`,
      'a minute to pass',
    )
    const findings = await findingsOf(server.url)
    clearInterval(working)

    const byRule = new Map(findings.map((finding) => [finding.rule, finding]))
    expect([...byRule.keys()]).toEqual([
      'prepared-transactions',
      'idle-in-transaction',
      'long-transaction',
      'long-query',
    ])
    expect(byRule.get('prepared-transactions')?.evidence).toContain('order-1 of app in the database app')
    expect(byRule.get('idle-in-transaction')?.evidence).toContain('application_name orders')
    expect(byRule.get('long-transaction')?.evidence).toContain('application_name batch')
    expect(byRule.get('long-query')?.evidence).toContain('application_name reports')
    expect(byRule.get('long-query')?.evidence).toContain('query: select pg_sleep(3600)')
    for (const finding of findings) await runStep(server, finding)
    await until(
      server,
      `select count(*) = 0 from pg_stat_activity where usename = 'app' and xact_start is not null`,
      'the transactions to end',
    )
    expect(await server.query('select from pg_prepared_xacts')).toEqual([])
  }, 180_000)

  test('a chain of locks to its root, also as a role that sees little', async () => {
    await using server = await startPostgres()
    await server.query(`create table things (id int); alter table things owner to app`)
    await server.query(`create role watcher login password 'app_password'`)
    await using clients = new Clients()
    const holder = await clients.open(server.url, 'payments')
    const pid = await pidOf(holder)
    await holder.query('begin; lock table things in access share mode')
    const migration = await clients.open(server.url, 'migration')
    const head = await pidOf(migration)
    migration.query('alter table things add name text').catch(() => {})
    await until(server, `select count(*) = 1 from pg_locks where not granted`, 'the migration to wait')
    for (let i = 0; i < 3; i++) (await clients.open(server.url)).query('select * from things').catch(() => {})
    await until(
      server,
      `select count(*) = 4 from pg_locks where not granted and waitstart < now() - interval '1 second'`,
      'all to wait',
    )
    const seen = (await findingsOf(server.url))[0]
    const quiet = (await findingsOf(server.url, '--show-queries=no'))[0]
    const unseen = (await findingsOf(server.urlFor({ user: 'watcher' })))[0]

    expect(seen).toMatchObject({
      rule: 'blocking-lock',
      data: { blocker: { pid, application: 'payments' }, waiting: 4, queuedBehind: { pid: head } },
    })
    expect(seen?.evidence).toContain('lock table things in access share mode')
    expect(JSON.stringify(quiet)).not.toContain('lock table things')
    expect(unseen).toMatchObject({
      rule: 'blocking-lock',
      data: { blocker: { pid, application: 'payments', state: null } },
    })
    expect(unseen?.now?.[0]?.text).toContain('Run it as app, with pg_signal_backend, or as a superuser:')
    if (seen) await runStep(server, seen)
    await until(server, `select count(*) = 0 from pg_locks where not granted`, 'the others to continue')
  })

  test('a prepared transaction at the root of a chain', async () => {
    await using server = await startPostgres({ settings: { max_prepared_transactions: 5 } })
    await server.query(`create table things (id int); grant all on things to app`)
    await using clients = new Clients()
    await (await clients.open(server.url)).query(`begin; lock table things; prepare transaction 'order-2'`)
    ;(await clients.open(server.url)).query('select * from things').catch(() => {})
    await until(
      server,
      `select count(*) = 1 from pg_locks where not granted and waitstart < now() - interval '1 second'`,
      'a session to wait',
    )
    const [first, second] = await findingsOf(server.adminUrl)

    expect(first?.rule).toBe('blocking-lock')
    expect(first?.now?.[0]?.run).toBe(`ROLLBACK PREPARED 'order-2';`)
    expect(second?.rule).toBe('prepared-transactions')
  })

  test('limits of other roles and databases that are used up, with a number that fits', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    await server.query(`create role batch login password 'app_password' connection limit 4`)
    await server.query(`alter database app connection limit 5`)
    await using clients = new Clients()
    for (let i = 0; i < 4; i++) await clients.open(server.urlFor({ user: 'batch' }), 'batch')
    await clients.open(server.url)
    const findings = await findingsOf(server.adminUrl)

    expect(findings.map(({ rule }) => rule)).toEqual(['role-limit', 'database-limit'])
    // 27 usable - 3 headroom - 1 of the other role.
    expect(findings[0]?.change).toContain('ALTER ROLE "batch" CONNECTION LIMIT 23;')
    expect(findings[1]?.change).toContain('ALTER DATABASE "app" CONNECTION LIMIT 24;')
    expect(findings[0]?.data).toMatchObject({ role: 'batch', used: 4, limit: 4, idle: 4 })
    if (findings[0]) await runStep(server, findings[0])
    await until(server, `select count(*) = 0 from pg_stat_activity where usename = 'batch'`, 'its sessions to end')
  })

  test('an abandoned replication slot', async () => {
    await using server = await startPostgres({ settings: { wal_level: 'logical' } })
    await server.query(`select pg_create_physical_replication_slot('standby', true)`)
    await server.query(`select pg_create_logical_replication_slot('feed', 'pgoutput')`)
    const findings = await findingsOf(server.url)

    expect(findings.map(({ rule, data }) => [rule, data.slot]).toSorted()).toEqual([
      ['replication-slots', 'feed'],
      ['replication-slots', 'standby'],
    ])
    for (const finding of findings) await runStep(server, finding)
    expect(await findingsOf(server.url)).toEqual([])
  })

  test('autovacuum that waits for a page which a cursor pins', async () => {
    const settings = { autovacuum_naptime: '1s', log_autovacuum_min_duration: 0 }
    await using server = await startPostgres({ settings })
    await server.query(`create table things (id int) with (autovacuum_freeze_table_age = 0, autovacuum_freeze_min_age = 0,
      autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0, autovacuum_analyze_threshold = 1000000)`)
    await server.query(`insert into things select generate_series(1, 50); grant all on things to app`)
    await using clients = new Clients()
    const reader = await clients.open(server.url, 'export')
    await reader.query('begin; declare c cursor for select * from things; fetch 1 from c')
    await until(
      server,
      `with touched as (delete from things where id = (select max(id) from things) returning 1)
       select exists (select from pg_stat_activity where backend_type = 'autovacuum worker'
         and wait_event_type in ('BufferPin', 'Buffer') and xact_start < now() - interval '5 seconds')`,
      'autovacuum to wait',
    )
    const stuck = (await findingsOf(server.adminUrl)).find(({ rule }) => rule === 'stuck-autovacuum')

    expect(stuck?.evidence).toContain('VACUUM public.things')
    expect(stuck?.data).toMatchObject({ blocker: { application: 'export' } })
    if (stuck) await runStep(server, stuck)
    await until(
      server,
      `select not exists (select from pg_stat_activity where wait_event_type in ('BufferPin', 'Buffer'))`,
      'autovacuum to continue',
    )
  })

  test('which sessions it cannot see, and the right that shows them', async () => {
    await using server = await startPostgres()
    await using clients = new Clients()
    await server.query(`create role watcher login password 'app_password'`)
    await clients.open(server.url)
    const url = server.urlFor({ user: 'watcher' })
    const before = await runPoolguard(['doctor', url])
    const [, statement] = /superuser: (GRANT .*;)/.exec(before.stdout) ?? []
    await server.query(statement ?? '')
    const after = await runPoolguard(['doctor', url])

    expect(before.stdout).toContain('watcher cannot see the client, state and query of 1 sessions of other roles (app)')
    expect(after.stdout).not.toContain('cannot see')
    expect(after.stdout).toContain('127.0.0.1:')
  })
})
