import { readFileSync } from 'node:fs'
import { Controller, Get } from '@nestjs/common'
import { type InsightFinding, type InsightKind, runWithLabel, snapshotPools } from '@poolguard/core'
import { drizzle as drizzlePg } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import poolguard from '@poolguard/fastify'
import { InjectPool, PoolguardModule } from '@poolguard/nestjs'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { eq } from 'drizzle-orm'
import Fastify, { type FastifyInstance } from 'fastify'
import { DataSource } from 'typeorm'
import { PrismaClient } from '#prisma-client'
import { account } from '../integration/drizzle-drivers.ts'
import { route, startApp } from '../integration/nestjs-app.ts'
import { accounts, payments } from '../integration/typeorm-model.ts'

/** Long enough to be a gap on a machine that is slow as well. */
const AWAY_MILLIS = 120
const TIMES = 12
const ids = Array.from({ length: TIMES }, (_, id) => id)

/** A mistake in an app, which the insight of its pool has to name. */
export interface SeededFault {
  /** The lines of this file that end with it as a comment are those that the finding may name. */
  readonly name: string
  readonly kind: InsightKind
  /** The label that the finding must have. */
  readonly label: string
  /** Runs the faulty code a few times, on a pool with this name. */
  readonly run: (url: string, name: string) => Promise<void>
}

/** Something that is not the database. */
function elsewhere(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, AWAY_MILLIS))
}

function compute(): void {
  const end = performance.now() + AWAY_MILLIS
  while (performance.now() < end);
}

async function twice(label: string, request: () => PromiseLike<unknown>): Promise<void> {
  for (let i = 0; i < 2; i++) await runWithLabel(label, async () => void (await request()))
}

type Steps<T> = (client: T) => PromiseLike<unknown>

function onPg(label: string, request: Steps<GuardedPool>): SeededFault['run'] {
  return async (url, name) => {
    const pool = new GuardedPool({ url, name, max: 5 })
    await pool.ready()
    await twice(label, () => request(pool))
    seen(name)
    await pool.end()
  }
}

function onPostgresJs(label: string, request: Steps<ReturnType<typeof guardPostgres>>): SeededFault['run'] {
  return async (url, name) => {
    const sql = guardPostgres(url, { name, pool: { max: 5 } })
    await sql.ready()
    await twice(label, () => request(sql))
    seen(name)
    await sql.end()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: both drivers' databases, whose types differ.
function onDrizzle(drizzle: any, label: string, request: Steps<ReturnType<typeof drizzlePg>>): SeededFault['run'] {
  return async (url, name) => {
    const db = drizzle({ connection: { url, name, pool: { max: 5 } } })
    await db.$client.ready()
    await twice(label, () => request(db))
    seen(name)
    await db.$client.end()
  }
}

function onPrisma(label: string, request: Steps<PrismaClient>): SeededFault['run'] {
  return async (url, name) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url, name, pool: { max: 5 } }) })
    await twice(label, () => request(prisma))
    seen(name)
    await prisma.$disconnect()
  }
}

function onTypeOrm(label: string, request: Steps<DataSource>): SeededFault['run'] {
  return async (url, name) => {
    const entities = [accounts, payments]
    const source = new DataSource(guardDataSource({ type: 'postgres', url, entities }, { name, pool: { max: 5 } }))
    await source.initialize()
    await twice(label, () => request(source))
    seen(name)
    await source.destroy()
  }
}

function onFastify(path: string, handler: (pool: GuardedPool) => Promise<unknown>): SeededFault['run'] {
  return async (url, name) => {
    const app: FastifyInstance = Fastify()
    app.register(poolguard, { pool: { url, name, max: 5 } })
    app.get(path, async () => {
      await handler(app.poolguard.pool)
      return 'done'
    })
    for (let i = 0; i < 2; i++) await app.inject(path)
    seen(name)
    await app.close()
  }
}

function onNest(path: string, handler: (pool: GuardedPool) => Promise<unknown>): SeededFault['run'] {
  return async (url, name) => {
    class FaultyController {
      readonly #pool: GuardedPool
      constructor(pool: GuardedPool) {
        this.#pool = pool
      }
      async handle(): Promise<string> {
        await handler(this.#pool)
        return 'done'
      }
    }
    Controller()(FaultyController)
    InjectPool()(FaultyController, undefined, 0)
    route(FaultyController, 'handle', Get(path))
    const imports = [PoolguardModule.forRoot({ url, name, pool: { max: 5 } })]
    await using running = await startApp('express', { imports, controllers: [FaultyController] })
    for (let i = 0; i < 2; i++) await running.get(path)
    seen(name)
  }
}

export const SEEDED_FAULTS: readonly SeededFault[] = [
  {
    ...{ name: 'pg transaction', kind: 'idle-in-transaction', label: 'POST /checkout' },
    run: onPg('POST /checkout', async (pool) => {
      const client = await pool.connect()
      await client.query('begin')
      await client.query('update account set balance = 90 where id = 1') // pg transaction
      await elsewhere()
      await client.query('commit') // pg transaction
      client.release()
    }),
  },
  {
    ...{ name: 'pg held', kind: 'held-without-statement', label: 'GET /report' },
    run: onPg('GET /report', async (pool) => {
      const client = await pool.connect() // pg held
      await client.query('select 1') // pg held
      await elsewhere()
      client.release()
    }),
  },
  {
    ...{ name: 'pg repeated', kind: 'repeated-statement', label: 'GET /orders' },
    run: onPg('GET /orders', async (pool) => {
      for (const id of ids) await pool.query(`select * from account where id = ${id}`) // pg repeated
    }),
  },
  {
    ...{ name: 'pg parallel', kind: 'parallel-checkouts', label: 'GET /dashboard' },
    run: onPg(
      'GET /dashboard',
      (pool) => Promise.all([1, 2, 3, 4].map((id) => pool.query('select pg_sleep(0.05), $1::int', [id]))), // pg parallel
    ),
  },
  {
    ...{ name: 'pg computes', kind: 'event-loop', label: 'GET /pdf' },
    run: onPg('GET /pdf', async (pool) => {
      const client = await pool.connect() // pg computes
      await client.query('select 1') // pg computes
      compute()
      await client.query('select 2') // pg computes
      client.release()
    }),
  },
  {
    ...{ name: 'pg before begin', kind: 'held-without-statement', label: 'job import' },
    run: onPg('job import', async (pool) => {
      const client = await pool.connect() // pg before begin
      await elsewhere()
      await client.query('begin') // pg before begin
      await client.query('commit')
      client.release()
    }),
  },
  {
    ...{ name: 'postgres.js transaction', kind: 'idle-in-transaction', label: 'POST /transfer' },
    run: onPostgresJs('POST /transfer', (sql) =>
      sql.begin(async (tx) => {
        await tx`update account set balance = 80 where id = 2` // postgres.js transaction
        await elsewhere()
        await tx`select 1` // postgres.js transaction
      }),
    ),
  },
  {
    ...{ name: 'postgres.js held', kind: 'held-without-statement', label: 'GET /export' },
    run: onPostgresJs('GET /export', async (sql) => {
      const reserved = await sql.reserve() // postgres.js held
      await reserved`select 1` // postgres.js held
      await elsewhere()
      await reserved`select 2` // postgres.js held
      reserved.release()
    }),
  },
  {
    ...{ name: 'postgres.js repeated', kind: 'repeated-statement', label: 'GET /items' },
    run: onPostgresJs('GET /items', async (sql) => {
      for (const id of ids) await sql`select * from account where id = ${id}` // postgres.js repeated
    }),
  },
  {
    ...{ name: 'postgres.js parallel', kind: 'parallel-checkouts', label: 'GET /home' },
    run: onPostgresJs('GET /home', (sql) => {
      const sleep = (id: number) => sql`select pg_sleep(0.05), ${id}::int` // postgres.js parallel
      return Promise.all([1, 2, 3].map(sleep))
    }),
  },
  {
    ...{ name: 'drizzle transaction', kind: 'idle-in-transaction', label: 'POST /pay' },
    run: onDrizzle(drizzlePg, 'POST /pay', (db) =>
      db.transaction(async (tx) => {
        await tx.update(account).set({ balance: 70 }).where(eq(account.id, 3)) // drizzle transaction
        await elsewhere()
        await tx.select().from(account) // drizzle transaction
      }),
    ),
  },
  {
    ...{ name: 'drizzle repeated', kind: 'repeated-statement', label: 'GET /cart' },
    run: onDrizzle(drizzlePg, 'GET /cart', async (db) => {
      for (const id of ids) await db.select().from(account).where(eq(account.id, id)) // drizzle repeated
    }),
  },
  {
    ...{ name: 'drizzle postgres.js repeated', kind: 'repeated-statement', label: 'GET /tags' },
    run: onDrizzle(drizzlePostgresJs, 'GET /tags', async (db) => {
      for (const id of ids) await db.select().from(account).where(eq(account.id, id)) // drizzle postgres.js repeated
    }),
  },
  {
    ...{ name: 'prisma transaction', kind: 'idle-in-transaction', label: 'POST /sign-up' },
    run: onPrisma('POST /sign-up', async (prisma) => {
      const work = prisma.$transaction(async (tx) => {
        await tx.account.update({ where: { id: 4 }, data: { balance: 60 } }) // prisma transaction
        await elsewhere()
        await tx.account.count() // prisma transaction
      })
      await work // prisma transaction
    }),
  },
  {
    ...{ name: 'prisma repeated', kind: 'repeated-statement', label: 'GET /friends' },
    run: onPrisma('GET /friends', async (prisma) => {
      for (const id of ids) await prisma.account.findFirst({ where: { id } }) // prisma repeated
    }),
  },
  {
    ...{ name: 'typeorm transaction', kind: 'idle-in-transaction', label: 'POST /book' },
    run: onTypeOrm('POST /book', (source) =>
      source.transaction(async (manager) => {
        await manager.update('account', { id: 5 }, { balance: 50 }) // typeorm transaction
        await elsewhere()
        await manager.count('account') // typeorm transaction
      }),
    ),
  },
  {
    ...{ name: 'typeorm repeated', kind: 'repeated-statement', label: 'GET /rooms' },
    run: onTypeOrm('GET /rooms', async (source) => {
      for (const id of ids) await source.getRepository('account').findBy({ id }) // typeorm repeated
    }),
  },
  {
    ...{ name: 'fastify held', kind: 'held-without-statement', label: 'GET /weather' },
    run: onFastify('/weather', async (pool) => {
      const client = await pool.connect() // fastify held
      await client.query('select 1') // fastify held
      await elsewhere()
      client.release()
    }),
  },
  {
    ...{ name: 'fastify parallel', kind: 'parallel-checkouts', label: 'GET /tiles' },
    run: onFastify(
      '/tiles',
      (pool) => Promise.all([1, 2, 3].map((id) => pool.query('select pg_sleep(0.05), $1::int', [id]))), // fastify parallel
    ),
  },
  {
    ...{ name: 'nest transaction', kind: 'idle-in-transaction', label: 'GET /invoice' },
    run: onNest('/invoice', async (pool) => {
      const client = await pool.connect()
      await client.query('begin')
      await client.query('select * from account where id = 6') // nest transaction
      await elsewhere()
      await client.query('commit') // nest transaction
      client.release()
    }),
  },
]

const source = readFileSync(import.meta.filename, 'utf8').split('\n')
const FILE = 'seeded-faults.ts'

function linesOf(name: string): string[] {
  return source.flatMap((line, index) => (line.endsWith(`// ${name}`) ? [`${FILE}:${index + 1}`] : []))
}

/** The findings of pools that are closed meanwhile. */
const findings = new Map<string, readonly InsightFinding[]>()

function seen(name: string): void {
  const snapshot = snapshotPools().find((each) => each.name === name)
  findings.set(name, snapshot?.insight?.findings ?? [])
}

/** Stages a fault. Returns undefined if a finding names its route and one of its lines, or else what was found. */
export async function stage(fault: SeededFault, url: string): Promise<string | undefined> {
  const name = `seeded ${fault.name}`
  await fault.run(url, name)
  const found = findings.get(name) ?? []
  const lines = linesOf(fault.name)
  const isNamed = found.some(
    ({ kind, label, site }) =>
      kind === fault.kind && label === fault.label && lines.some((line) => site?.endsWith(line)),
  )
  const shown = found.map(({ kind, label, site }) => `${kind} of ${label} at ${site}`)
  return isNamed
    ? undefined
    : `${fault.name}: expected one of ${lines.join(', ')}, found ${shown.join('; ') || 'nothing'}`
}
