import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { type PostgresServer, startPostgres, waitUntil } from '@poolguard/test/harness'
import { guardDataSource } from '@poolguard/typeorm'
import { sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** A store of secrets: each rotation creates a role and locks the former one out. */
class Rotation {
  calls = 0
  user = ''
  password = ''
  lifeMillis = 3_600_000

  async rotate(): Promise<void> {
    const former = this.user
    this.user = `rotated_${Math.random().toString(36).slice(2)}`
    this.password = `password-of-${this.user}`
    await server.query(`create role ${this.user} login password '${this.password}'`)
    if (former) await server.query(`alter role ${former} nologin password null`)
  }

  readonly credentials = async () => {
    this.calls++
    return { user: this.user, password: this.password, expiresAt: new Date(Date.now() + this.lifeMillis) }
  }
}

interface Connected {
  /** The present user of as many connections at the same time. */
  users(count: number): Promise<string[]>
  close(): Promise<unknown>
}

const USER = `select current_user::text as name from pg_sleep(0.05)`
const max = 5

const adapters: [name: string, connect: (rotation: Rotation) => Promise<Connected> | Connected][] = [
  [
    'pg',
    ({ credentials }) => {
      const pool = new GuardedPool({ ...addressOf(), max, credentials })
      return fromQuery(
        async () => (await pool.query(USER)).rows,
        () => pool.end(),
      )
    },
  ],
  [
    'postgres.js',
    ({ credentials }) => {
      const sql = guardPostgres({ ...addressOf(), max, credentials })
      return fromQuery(
        () => sql.unsafe(USER),
        () => sql.end(),
      )
    },
  ],
  [
    'Drizzle',
    ({ credentials }) => {
      const db = drizzle({ connection: { ...addressOf(), max, credentials } })
      return fromQuery(
        async () => (await db.execute(sql.raw(USER))).rows,
        () => db.$client.end(),
      )
    },
  ],
  [
    'TypeORM',
    async ({ credentials }) => {
      const { host, port, user: username, database } = addressOf()
      const options = { type: 'postgres', host, port, username, database, poolSize: max } as const
      const dataSource = await new DataSource(guardDataSource(options, { credentials })).initialize()
      return fromQuery(
        () => dataSource.query(USER),
        () => dataSource.destroy(),
      )
    },
  ],
  [
    'Prisma',
    async ({ credentials }) => {
      const adapter = await new PrismaPg({ ...addressOf(), max, credentials }).connect()
      const query = async () => {
        const { rows } = await adapter.queryRaw({ sql: USER, args: [], argTypes: [] })
        return rows.map(([name]) => ({ name }))
      }
      return fromQuery(query, () => adapter.dispose())
    },
  ],
]

function addressOf() {
  const { hostname: host, port } = new URL(server.url)
  return { host, port: Number(port), user: 'nobody', database: 'app' }
}

function fromQuery(query: () => PromiseLike<unknown>, close: () => Promise<unknown>): Connected {
  const userOf = async () => ((await query()) as { name: string }[])[0]?.name ?? ''
  return { users: (count) => Promise.all(Array.from({ length: count }, userOf)), close }
}

describe('credentials that change', () => {
  const rotation = new Rotation()
  beforeEach(async () => {
    rotation.calls = 0
    await rotation.rotate()
  })

  test.each(adapters)('%s: users and passwords change as a pair, asked once', async (_name, connect) => {
    const connected = await connect(rotation)
    onTestFinished(() => connected.close().then(() => {}))
    const first = rotation.user
    expect(new Set(await connected.users(max))).toEqual(new Set([first]))
    expect(rotation.calls).toBe(1)

    await rotation.rotate()
    await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${first}'`)
    const present = await waitUntil(
      async () => {
        const users = await connected.users(max).catch(() => [first])
        return users.includes(first) ? undefined : users
      },
      { what: 'the pool uses the new credentials' },
    )
    expect(new Set(present)).toEqual(new Set([rotation.user]))
    expect(rotation.calls).toBe(2)
  })
})

test('sql.listen of postgres.js follows a changed user after its connection was lost', async () => {
  const rotation = new Rotation()
  await rotation.rotate()
  const sql = guardPostgres({ ...addressOf(), max: 1, credentials: rotation.credentials })
  onTestFinished(() => sql.end())
  const heard: string[] = []
  await sql.listen('news', (payload) => heard.push(payload))
  await server.query(`notify news, 'first'`)
  await waitUntil(() => heard.includes('first'), { what: 'the first notification' })

  const first = rotation.user
  await rotation.rotate()
  await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${first}'`)
  await waitUntil(
    async () => {
      await sql`select 1`.catch(() => {})
      await server.query(`notify news, 'second'`)
      return heard.includes('second')
    },
    { what: 'the second notification', deadlineMillis: 20_000, everyMillis: 200 },
  )
})
