import poolguard from '@poolguard/fastify'
import { pgBouncerSource } from '@poolguard/pg'
import Fastify from 'fastify'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithPgBouncer, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'

const TOKEN = 'the-admin-token'
const describe = await describeWithPgBouncer()

describe('the live page behind PgBouncer', () => {
  test('given a queue of PgBouncer, then the page has its length', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    await using pooler = await startPgBouncer({
      upstream: server,
      poolMode: 'transaction',
      settings: { default_pool_size: 1 },
    })
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(poolguard, { page: { sources: [pgBouncerSource(pooler.statsUrl)] }, adminToken: TOKEN })
    // Without a guard: a guarded pool keeps its callers from queueing at PgBouncer.
    const pool = new pg.Pool({ connectionString: pooler.url, max: 3 })
    const holder = await pool.connect()
    await holder.query('begin')
    const waiting = [pool.query('select 1'), pool.query('select 1')]

    await waitUntil(async () => (await queue(app))?.clientsWaiting === 2, {
      what: 'two clients of PgBouncer that wait',
    })
    expect(await queue(app)).toMatchObject({ database: 'app', user: 'app', serversActive: 1 })
    await holder.query('commit')
    holder.release()
    await Promise.all(waiting)
    await waitUntil(async () => (await queue(app))?.clientsWaiting === 0, { what: 'an empty queue' })
    await pool.end()
  })
})

/** The pool of the database `app`, as the page shows it. */
async function queue(app: ReturnType<typeof Fastify>): Promise<PoolerPool | undefined> {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { sources } = (await app.inject({ url: '/admin/poolguard?get=data', headers })).json()
  return sources[0]?.report.pools?.find(({ database }: PoolerPool) => database === 'app')
}

interface PoolerPool {
  readonly database: string
  readonly clientsWaiting: number
}
