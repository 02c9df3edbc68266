import { runWithDeadline } from '@poolguard/core'
import { drizzle as drizzlePg } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { type SQL, sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { RunningStatements } from './running-statements.ts'

let server: PostgresServer
let statements: RunningStatements
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
  statements = await RunningStatements.watch(server)
  await server.query('create table kept (id int); grant all on kept to public')
})
afterAll(async () => {
  await statements?.[Symbol.asyncDispose]()
  await server?.stop()
})

interface Orm {
  run(text: string): PromiseLike<unknown>
  transact(text: string): PromiseLike<unknown>
  end(): Promise<unknown>
}

const INSERT = 'insert into kept values (1)'

interface DrizzleDb {
  execute(query: SQL): PromiseLike<unknown>
  transaction(work: (tx: Pick<DrizzleDb, 'execute'>) => Promise<void>): Promise<void>
  readonly $client: { end(): Promise<unknown> }
}

function ormOver(db: DrizzleDb): Orm {
  return {
    run: (text) => db.execute(sql.raw(text)),
    transact: (text) =>
      db.transaction(async (tx) => {
        await tx.execute(sql.raw(INSERT))
        await tx.execute(sql.raw(text))
      }),
    end: () => db.$client.end(),
  }
}

const orms: Readonly<Record<string, () => Promise<Orm>>> = {
  'Drizzle on pg': async () => ormOver(drizzlePg({ connection: { url: server.url, max: 1 } })),
  'Drizzle on postgres.js': async () => ormOver(drizzlePostgresJs({ connection: { url: server.url, max: 1 } })),
  TypeORM: async () => {
    const source = await new DataSource(
      guardDataSource({ type: 'postgres', url: server.url, poolSize: 1 }),
    ).initialize()
    return {
      run: (text) => source.query(text),
      transact: (text) =>
        source.transaction(async (manager) => {
          await manager.query(INSERT)
          await manager.query(text)
        }),
      end: () => source.destroy(),
    }
  },
  Prisma: async () => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, max: 1 }) })
    return {
      run: (text) => prisma.$executeRawUnsafe(text),
      transact: (text) =>
        prisma.$transaction(
          async (tx) => {
            await tx.$executeRawUnsafe(INSERT)
            await tx.$executeRawUnsafe(text)
          },
          { timeout: 60_000 },
        ),
      end: () => prisma.$disconnect(),
    }
  },
}

describe.each(Object.entries(orms))('given %s under runWithDeadline', (name, open) => {
  test.for(['run', 'transact'] as const)(
    'when the signal is aborted while it runs (%s), then the statement ends on the server, and nothing stays',
    async (method) => {
      const orm = await open()
      const mark = `${name} ${method}`
      const controller = new AbortController()
      const outcome = runWithDeadline(controller.signal, async () =>
        orm[method](`select pg_sleep(600) /* ${mark} */`),
      ).then(
        () => 'succeeded',
        (error: unknown) => error,
      )
      await statements.begun(mark)
      controller.abort(new Error('the client has gone'))

      expect(await outcome).toBeInstanceOf(Error)
      await statements.ended(mark)
      await orm.run('select 1')
      expect(await server.query('select count(*)::int as n from kept')).toEqual([{ n: 0 }])
      await orm.end()
    },
  )
})
