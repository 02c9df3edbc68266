import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { GuardedPool } from '@poolguard/pg'
import { createPool } from 'generic-pool'
import pg from 'pg'
import { Pool as TarnPool } from 'tarn'
import { FakeClient } from './fake-client.ts'

const CHECKOUTS = 100_000
const CONNECTIONS = 10

/** One checkout: acquire and release. */
export type Checkout = () => Promise<void>

/** GuardedPool and its peers, all over clients without a server. */
export async function checkoutPeers() {
  const options = { max: CONNECTIONS, Client: FakeClient as never }
  const guarded = new GuardedPool({ ...options, pooler: 'none', name: 'bench' })
  await guarded.ready()
  const plain = new pg.Pool(options)
  const instrumented = new (instrument(pg.Pool))(options)
  const tarn = new TarnPool({ create: async () => new FakeClient(), destroy: () => {}, min: 0, max: CONNECTIONS })
  const generic = createPool({ create: async () => new FakeClient(), destroy: async () => {} }, { max: CONNECTIONS })
  const others: Record<string, Checkout> = {
    pg_pool: checkoutOf(plain),
    pg_pool_otel: checkoutOf(instrumented),
    tarn: async () => tarn.release(await tarn.acquire().promise) as unknown as undefined,
    generic_pool: async () => generic.release(await generic.acquire()),
  }
  return {
    ours: checkoutOf(guarded),
    others,
    async [Symbol.asyncDispose]() {
      await Promise.all([guarded.end(), plain.end(), instrumented.end(), tarn.destroy()])
      await generic.drain()
      await generic.clear()
    },
  }
}

function checkoutOf(pool: pg.Pool): Checkout {
  return async () => {
    const client = await pool.connect()
    client.release()
  }
}

/** A pg.Pool with the very patch that the instrumentation puts on it, and spans that are recorded but go nowhere. */
function instrument(Pool: typeof pg.Pool): typeof pg.Pool {
  const instrumentation = new PgInstrumentation()
  instrumentation.setTracerProvider(new TracerProvider())
  const { _getPoolConnectPatch } = instrumentation as unknown as {
    _getPoolConnectPatch(): (original: unknown) => typeof Pool.prototype.connect
  }
  class InstrumentedPool extends Pool {}
  InstrumentedPool.prototype.connect = _getPoolConnectPatch.call(instrumentation)(Pool.prototype.connect)
  return InstrumentedPool
}

export async function nanosPerCheckout(checkout: Checkout): Promise<number> {
  const began = process.hrtime.bigint()
  for (let i = 0; i < CHECKOUTS; i++) await checkout()
  return Number(process.hrtime.bigint() - began) / CHECKOUTS
}
