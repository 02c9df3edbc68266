import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { sample } from '../matrix.ts'
import { COLUMN_TYPES, type ColumnType } from './column-migrations.ts'

interface Migration {
  readonly from: ColumnType
  readonly to: string
}

/** A driver, guarded or not. */
interface Client {
  readonly table: string
  readonly prepares: boolean
  query(text: string, value: unknown): Promise<Record<string, unknown>[]>
  close(): Promise<unknown>
}

/** Statements of a migration's own for each value, so that nothing is known of them because of another migration or value. */
const find = (table: string, n: number, of = '') => `select id from ${table} where v = $1 order by id /* ${of} ${n} */`
const add = (table: string, n: number, of: string) => `insert into ${table} (v) values ($1) /* ${of} ${n} */`

let server: PostgresServer
let admin: pg.Client
let migrations: Migration[]
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  admin = new pg.Client(server.adminUrl)
  await admin.connect()
  migrations = await migrationsOf(server)
})
afterAll(async () => {
  await admin.end()
  await server.stop()
})

/** Every pair of types of which values of one are assigned to columns of the other, by a cast or by way of text. */
async function migrationsOf(server: PostgresServer): Promise<Migration[]> {
  const pairs = COLUMN_TYPES.flatMap((from) => COLUMN_TYPES.map((to) => [from.type, to.type]))
  const assigned = await server.query(
    `select s, t from (values ${pairs.map(([s, t]) => `('${s}', '${t}')`).join()}) pair(s, t)
      where s <> t and (to_regtype(s) = to_regtype(t) or exists (
        select from pg_cast where castsource = to_regtype(s) and casttarget = to_regtype(t) and castcontext in ('a', 'i'))
        or to_regtype(t) in (select oid from pg_type where typcategory = 'S' or oid = '"char"'::regtype))`,
  )
  const byName = new Map(COLUMN_TYPES.map((type) => [type.type, type]))
  return assigned.map(({ s, t }) => ({ from: byName.get(String(s)) as ColumnType, to: String(t) }))
}

const OPTIONS = { pool: { max: 1 }, prepareThreshold: 0, maxPreparedStatements: 100_000 }

const DRIVERS = {
  pg: async (url: string) => {
    const guarded = new GuardedPool({ url, name: 'migrated', ...OPTIONS })
    await guarded.ready()
    // Its end() does not wait for clients on their way out, which the server's end may overtake.
    const plain = new pg.Pool({ connectionString: url, max: 1 }).on('error', () => {})
    return [plain, guarded].map((pool, n) => ({
      table: n === 0 ? 'plain' : 'guarded',
      prepares: n === 1,
      query: async (text: string, value: unknown) => (await pool.query(text, [value])).rows,
      close: () => pool.end(),
    }))
  },
  'postgres.js': async (url: string) => {
    const guarded = guardPostgres(url, { name: 'migrated too', ...OPTIONS })
    await guarded.ready()
    return [postgres(url, { max: 1 }), guarded].map((sql, n) => ({
      table: n === 0 ? 'plain_js' : 'guarded_js',
      prepares: n === 1,
      query: async (text: string, value: unknown) => [...(await sql.unsafe(text, [value as never]))],
      close: () => sql.end(),
    }))
  },
}

describe.for(Object.entries(DRIVERS))('%s', ([, open]) => {
  let clients: Client[]
  beforeAll(async () => {
    clients = await open(server.url)
  })
  afterAll(() => Promise.all(clients.map((client) => client.close())))

  test('stores and finds after any migration what it stores and finds without preparing', async () => {
    expect(migrations.length).toBeGreaterThan(200)
    const differing: unknown[] = []
    for (const migration of sample(migrations, 60)) {
      const [plain = [], guarded = []] = await Promise.all(clients.map((client) => migrate(client, migration)))
      const differs = guarded.filter((seen, n) => seen !== plain[n])
      if (differs.length > 0) differing.push([`${migration.from.type} -> ${migration.to}`, differs, plain])
    }
    expect(differing).toEqual([])
  }, 300_000)

  test.for([
    ['text', '"char"', 'abc'],
    ['integer', 'smallint', 70_000],
    ['integer', 'real', 2_147_483_647],
    ['bigint', 'integer', '3000000000'],
  ])(
    '%s -> %s: a value that only the new type reads differently is read so after a moment',
    async ([from, to, value]) => {
      await Promise.all(
        clients.map(async ({ table, query }) => {
          await server.query(
            `drop table if exists ${table}; create table ${table} (id serial, v ${from}); grant all on ${table} to app`,
          )
          await query(find(table, 0), 1)
          await server.query(`alter table ${table} alter v type ${to}`)
        }),
      )
      await expect
        .poll(async () => {
          const [plain, guarded] = await Promise.all(
            clients.map((client) => tell(client.query(find(client.table, 0), value), client)),
          )
          return plain === guarded
        })
        .toBe(true)
    },
  )

  /** The results that a client gets, and the rows stored in the end, when a column changes its type under prepared statements. */
  async function migrate(client: Client, { from, to }: Migration): Promise<readonly string[]> {
    const { table } = client
    const of = `${from.type} -> ${to}`
    const values = from.awkward.filter((value) => !isConfirmedOnly(from.type, to, value))
    await admin.query(`drop table if exists ${table}; create table ${table} (id serial, v ${from.type});
      grant all on ${table} to app; grant usage on sequence ${table}_id_seq to app`)
    if (client.prepares) {
      for (const n of values.keys()) {
        await client.query(add(table, n, of), from.value)
        await client.query(find(table, n, of), from.value).catch(() => {})
      }
    } else
      await admin.query(`insert into ${table} (v) select $1::${from.type} from generate_series(1, ${values.length})`, [
        from.value,
      ])
    await admin.query(`alter table ${table} alter v type ${to} using null`)
    const seen: string[] = []
    for (const [n, value] of values.entries()) {
      seen.push(`${describeValue(value)} added: ${await tell(client.query(add(table, n, of), value), client)}`)
      seen.push(`${describeValue(value)} found: ${await tell(client.query(find(table, n, of), value), client)}`)
    }
    const stored = await admin.query(`select v::text from ${table} where v is not null order by id`)
    return [...seen, JSON.stringify(stored.rows)]
  }
})

/** Values that are safe only while the server has just confirmed the types: see the other test. */
function isConfirmedOnly(from: string, to: string, value: unknown): boolean {
  if (to === 'name') return from === 'boolean'
  if (to === '"char"') return from === 'text' || from.startsWith('varchar')
  return /int/.test(from) && /^(?:smallint|integer|real)$/.test(to) && Number(value) > 32_767
}

const describeValue = (value: unknown) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))

function tell(rows: Promise<unknown>, { table }: Client): Promise<string> {
  return rows.then(
    (found) => JSON.stringify(found),
    ({ code, message }) => `${code} ${String(message).replaceAll(table, 'the table')}`,
  )
}
