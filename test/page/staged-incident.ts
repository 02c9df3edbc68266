import { runWithLabel } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'

/** A staged incident: an app whose pool has a leak, a lock, N+1, an unused transaction, and callers that wait. */
export interface StagedIncident {
  readonly pool: GuardedPool
  /** Requests that take all connections which are free, and keep further ones waiting until `release` is called. */
  occupy(label: string, requests: number): { readonly done: Promise<unknown>; readonly release: () => void }
  end(): Promise<void>
}

const AWAY_MILLIS = 1_000

/** @param url of a server with the table `orders`, see {@link makeOrders}. */
export async function stageIncident(url: string): Promise<StagedIncident> {
  const pool = new GuardedPool({
    url,
    name: 'orders',
    pool: { max: 5, leakThresholdMillis: 1_000, longQueryMillis: 2_000, acquireTimeoutMillis: 20_000 },
  })
  await pool.ready()
  const held = [await leakConnection(pool), await holdLock(pool)]
  const work = [waitForLock(pool), ...repeat(6, () => checkOut(pool)), listOrders(pool)]
  const settled = Promise.allSettled(work)
  return {
    pool,
    occupy: (label, requests) => occupy(pool, label, requests),
    end: async () => {
      for (const client of held) client.release(true)
      await settled
      await pool.end()
    },
  }
}

export async function makeOrders(url: string): Promise<void> {
  const pool = new GuardedPool({ url, pool: { max: 1 } })
  await pool.query('create table orders (id int primary key, status text not null)')
  await pool.query("insert into orders select n, 'open' from generate_series(1, 20) n")
  await pool.end()
}

function occupy(pool: GuardedPool, label: string, requests: number): ReturnType<StagedIncident['occupy']> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const request = async () => {
    const client = await pool.connect()
    await released
    client.release()
  }
  const done = Promise.all(repeat(requests, () => runWithLabel(label, request)))
  return { done, release }
}

/** The connection is never released. */
function leakConnection(pool: GuardedPool) {
  return runWithLabel('GET /reports/:id', async () => {
    const client = await pool.connect()
    await client.query('select count(*) from orders where status = $1', ['open'])
    return client
  })
}

/** A transaction that has locked a row and does something else. */
function holdLock(pool: GuardedPool) {
  return runWithLabel('POST /refunds', async () => {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('update orders set status = $1 where id = $2', ['refunded', 1])
    return client
  })
}

function waitForLock(pool: GuardedPool): Promise<unknown> {
  return runWithLabel('PUT /orders/:id', () => pool.query('update orders set status = $1 where id = $2', ['paid', 1]))
}

/** Asks another service while its transaction is open. */
function checkOut(pool: GuardedPool): Promise<unknown> {
  return runWithLabel('POST /checkout', async () => {
    const client = await pool.connect()
    await client.query('begin')
    await client
      .query('insert into orders values ((select max(id) + 1 from orders where id < $1), $2)', [1_000, 'new'])
      .catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, AWAY_MILLIS))
    await client.query('rollback')
    client.release()
  })
}

/** One statement for each order: N+1. */
function listOrders(pool: GuardedPool): Promise<unknown> {
  return runWithLabel('GET /orders', async () => {
    for (let id = 1; id <= 20; id++) await pool.query('select * from orders where id = $1', [id])
  })
}

function repeat<T>(times: number, run: () => T): T[] {
  return Array.from({ length: times }, run)
}
