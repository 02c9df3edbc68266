import { closePools, snapshotPools } from '@poolguard/core'
import { getPoolToken, PoolguardModule } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource, guardedPools } from '@poolguard/typeorm'
import { sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { drivers } from './drizzle-drivers.ts'
import { appWith } from './fastify-app.ts'
import { startApp } from './nestjs-app.ts'

const fleet = { app: 'orders' }

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())
afterEach(async () => {
  await closePools()
  await expect.poll(() => server.connectionCount()).toBe(0)
})

/** The members that the pools of this process are, as the server sees them. */
async function members(): Promise<string[]> {
  const rows = await server.query<{ member: string }>(
    `select distinct split_part(application_name, ':', 1) as member from pg_stat_activity where application_name like 'orders#%'`,
  )
  expect(
    snapshotPools()
      .map((pool) => pool.fleet?.instance)
      .toSorted(),
  ).toEqual(rows.map(({ member }) => member).toSorted())
  return rows.map(({ member }) => member)
}

test('Every adapter refuses trusted roles that are no array of names', async () => {
  const wrong = { url: server.url, fleet: { app: 'orders', trustedRoles: 'bills' as never } }
  const message = "fleet.trustedRoles: 'bills'. It takes an array of role names"
  for (const { drizzle } of drivers) expect(() => drizzle({ connection: wrong })).toThrow(message)
  expect(() => new PrismaPg(wrong)).toThrow(message)
  expect(() => guardDataSource({ type: 'postgres', url: wrong.url }, { fleet: wrong.fleet })).toThrow(message)
  await expect(appWith({ pool: wrong }).ready()).rejects.toThrow(message)
  await expect(startApp('express', { imports: [PoolguardModule.forRoot(wrong)] })).rejects.toThrow(message)
})

test('Drizzle hands the fleet on, over either driver', async () => {
  const databases = drivers.map(({ driver, drizzle }) =>
    drizzle({ connection: { url: server.url, name: driver, fleet } }),
  )
  for (const database of databases) await database.execute(sql`select 1`)
  await expect.poll(async () => (await members()).length).toBe(2)
})

test('Prisma hands the fleet on', async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, fleet }) })
  await prisma.$queryRawUnsafe('select 1')
  await expect.poll(async () => (await members()).length).toBe(1)
  await prisma.$disconnect()
})

test('TypeORM hands the fleet on, and each pool of a replicated one is a member', async () => {
  const replication = { master: { url: server.url }, slaves: [{ url: server.url }] }
  const dataSource = new DataSource(guardDataSource({ type: 'postgres', replication }, { fleet }))
  await dataSource.initialize()
  await Promise.all(guardedPools(dataSource).map((pool) => pool.ready()))
  expect(await members()).toHaveLength(2)
  await dataSource.destroy()
})

test('Fastify hands the fleet on', async () => {
  const app = appWith({ pool: { url: server.url, fleet } })
  await app.ready()
  await app.poolguard.pool.query('select 1')
  await expect.poll(async () => (await members()).length).toBe(1)
})

test('NestJS hands the fleet on', async () => {
  await using running = await startApp('express', { imports: [PoolguardModule.forRoot({ url: server.url, fleet })] })
  await running.app.get<GuardedPool>(getPoolToken()).query('select 1')
  await expect.poll(async () => (await members()).length).toBe(1)
})
