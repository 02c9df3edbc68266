import { GuardedPool, postgresSource } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'
import { type Attack, trapFor } from './hostile-database.ts'

/** Every way in which poolguard queries a database by itself, done with the given URL. */
const LOOKS: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  'poolguard doctor': (url) => run('doctor', url),
  'poolguard plan': (url) => run('plan', url, '--instances', '2'),
  'poolguard generate': (url) => run('generate', 'postgres', url, '--instances', '2', '--print'),
  'poolguard optimize': (url) => run('optimize', url, '--apply', '--yes'),
  'poolguard monitor': (url) => run('monitor', url, '--samples', '1'),
  'poolguard free': (url) => run('free', url, '--older-than', '0s', '--yes'),
  'poolguard verify': (url) => run('verify', url),
  'poolguard stress': (url) => run('stress', url, '--duration', '1', '--concurrency', '2'),
  "a pool's survey": async (url) => {
    await using pool = disposable(new GuardedPool({ url, onEvent: () => {} }))
    await pool.ready()
  },
  "a fleet's exchange": async (url) => {
    await using pool = disposable(new GuardedPool({ url, fleet: { app: 'victim' }, onEvent: () => {} }))
    await pool.ready()
  },
  'the survey of postgres.js': async (url) => {
    const sql = guardPostgres(url, { onEvent: () => {} })
    await sql.ready()
    await sql.end()
  },
  'a source of metrics': async (url) => {
    await postgresSource(url).read()
  },
}

describe.each<Attack>(['a search_path of the database', 'overloads in public'])('given %s', (attack) => {
  test('then a superuser who looks at the database runs nothing of its owner', async () => {
    await using server = await startPostgres()
    for (const statement of trapFor(attack)) await server.query(statement)

    for (const [name, look] of Object.entries(LOOKS)) {
      await look(server.adminUrl)
      expect(await ownerIsSuperuser(server), name).toBe(false)
    }

    // The trap works: a query without schemas falls into it.
    await server.query("select current_setting('server_version'::varchar), pg_has_role('app', 'app', 'usage')")
    expect(await ownerIsSuperuser(server)).toBe(true)
  }, 120_000)
})

/** Exit code 1 is a finding; 2 would mean that the command did not get to ask. */
async function run(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runPoolguard(args)
  expect([0, 1], `${args[0]} says ${stdout}${stderr}`).toContain(code)
}

async function ownerIsSuperuser(server: PostgresServer): Promise<boolean> {
  const url = new URL(server.adminUrl)
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    const { rows } = await client.query("select rolsuper from pg_roles where rolname = 'app'")
    return rows[0].rolsuper
  } finally {
    await client.end()
  }
}

function disposable<P extends { end(): Promise<void> }>(pool: P): P & AsyncDisposable {
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}
