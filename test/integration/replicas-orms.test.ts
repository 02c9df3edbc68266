import { drizzle as drizzlePg, withReplicas as withPgReplicas } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs, withReplicas as withPostgresJsReplicas } from '@poolguard/drizzle/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource, guardedPools } from '@poolguard/typeorm'
import { sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, type Replication, startPostgres, startReplication, waitUntil } from '../harness/index.ts'

let replication: Replication
let primary: PostgresServer
let standby: PostgresServer

beforeAll(async () => {
  replication = await startReplication({ settings: { synchronous_commit: 'on' } })
  primary = replication.primary
  standby = replication.standbys[0] as PostgresServer
  await primary.query('create table written (id int); grant all on written to app')
  await replication.caughtUp()
})
afterAll(() => replication.stop())

/** An app on the primary and its replica, as the README of each adapter has it. */
interface App {
  write(id: number): Promise<unknown>
  /** The number of rows, and the port of the server that has answered. */
  read(): Promise<{ n: number; port: number }>
  end(): Promise<unknown>
}

const port = `(select setting::int from pg_settings where name = 'port')`
const written = pgTable('written', { id: integer() })
const fields = { n: sql<number>`count(*)::int`, port: sql<number>`${sql.raw(port)}` }
const quiet = { onEvent: () => {}, readYourWritesMillis: 0 }

const APPS: Readonly<Record<string, () => Promise<App>>> = {
  ...Object.fromEntries(
    [
      ['Drizzle on pg', drizzlePg, withPgReplicas] as const,
      ['Drizzle on postgres.js', drizzlePostgresJs as unknown as typeof drizzlePg, withPostgresJsReplicas] as const,
    ].flatMap(([name, drizzle, withReplicas]) => [
      [`${name}, by the text`, async () => drizzleApp(drizzle, [standby.url])],
      [`${name}, with withReplicas`, async () => drizzleApp(drizzle, [], withReplicas)],
    ]),
  ),
  Prisma: async () => {
    const adapter = new PrismaPg({ ...quiet, url: primary.url, replicas: [standby.url] })
    const prisma = new PrismaClient({ adapter })
    const text = `select count(*)::int as n, ${port} as port from written`
    return {
      write: (id) => prisma.$executeRawUnsafe('insert into written values ($1)', id),
      read: async () => (await prisma.$queryRawUnsafe<{ n: number; port: number }[]>(text))[0] ?? { n: -1, port: 0 },
      end: () => prisma.$disconnect(),
    }
  },
  TypeORM: async () => {
    const source = await dataSource([standby.url]).initialize()
    return {
      write: (id) => source.query('insert into written values ($1)', [id]),
      read: async () => {
        const query = source.createQueryBuilder().select('count(*)::int', 'n').addSelect(port, 'port')
        return (await query.from('written', 'written').getRawOne()) as { n: number; port: number }
      },
      end: () => source.destroy(),
    }
  },
}

function drizzleApp(drizzle: typeof drizzlePg, replicas: readonly string[], join?: typeof withPgReplicas): App {
  const first = drizzle({ connection: { ...quiet, url: primary.url, replicas } })
  const second = join && drizzle({ connection: { ...quiet, url: standby.url } })
  const db = second ? join(first, [second], { readYourWritesMillis: 0 }) : first
  return {
    write: async (id) => await db.insert(written).values({ id }),
    read: async () => (await db.select(fields).from(written))[0] ?? { n: -1, port: 0 },
    end: () => Promise.all([first.$client.end(), second?.$client.end()]),
  }
}

function dataSource(slaves: readonly string[]): DataSource {
  const replication = { master: { url: primary.url }, slaves: slaves.map((url) => ({ url })) }
  return new DataSource(guardDataSource({ type: 'postgres', replication }, quiet))
}

describe.each(Object.entries(APPS))('%s', (_name, open) => {
  test('reads on the replica, but never less than the app has written', async () => {
    const app = await open()
    onTestFinished(async () => void (await app.end()))
    await waitUntil(async () => (await app.read()).port === standby.port, { what: 'reads go to the replica' })
    const { n } = await app.read()
    await standby.query('select pg_wal_replay_pause()')
    await app.write(1)
    expect(await app.read()).toEqual({ n: n + 1, port: primary.port })
    await standby.query('select pg_wal_replay_resume()')
    await replication.caughtUp()
    await waitUntil(async () => (await app.read()).port === standby.port, { what: 'reads go to the replica again' })
    expect(await app.read()).toEqual({ n: n + 1, port: standby.port })
  })
})

test('TypeORM starts and reads while a replica is down', async () => {
  const gone = await startPostgres()
  await gone.stop()
  const source = await dataSource([gone.url]).initialize()
  onTestFinished(() => source.destroy())
  const query = source.createQueryBuilder().select(port, 'port').from('written', 'written')
  expect(await query.getRawMany()).toEqual(expect.any(Array))
  const [master] = guardedPools(source)
  expect(master.snapshot().routing?.replicas).toMatchObject([{ state: 'down' }])
})

test('TypeORM: each replica may have its own limits', () => {
  const replication = { master: { url: primary.url }, slaves: [{ url: standby.url }] }
  const options = { type: 'postgres' as const, replication }
  expect(() => guardDataSource(options, { replicas: [{}, {}] })).toThrow(
    "Invalid option replicas: 'a list of 2'. It takes a list with options of a pool for each of the 1 entries",
  )
})
