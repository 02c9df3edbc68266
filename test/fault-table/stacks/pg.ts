import type pg from 'pg'
import { MAX_CONNECTIONS, READ, rowOf, type Stack, type StackApp } from '../stack.ts'

/** An app on a pg.Pool or on one with its API. */
export function appOnPool(pool: pg.Pool): StackApp {
  return {
    write: (id) => pool.query(rowOf(id, 'only')),
    async writeTwice(id, between) {
      const client = await pool.connect()
      // As node-postgres's guide has it.
      try {
        await client.query('begin')
        await client.query(rowOf(id, 'first'))
        await between()
        await client.query(rowOf(id, 'second'))
        await client.query('commit')
      } catch (error) {
        await client.query('rollback').catch(() => {})
        throw error
      } finally {
        client.release()
      }
    },
    read: () => pool.query(READ),
    run: (text) => pool.query(text),
    async borrow() {
      const client = await pool.connect()
      return { run: (text) => client.query(text), release: () => client.release() }
    },
    close: () => pool.end(),
  }
}

export const pgPool: Stack = {
  name: 'pg.Pool',
  packages: ['pg'],
  async open(connectionString) {
    const { default: pg } = await import('pg')
    return appOnPool(new pg.Pool({ connectionString, max: MAX_CONNECTIONS }))
  },
}

/** pg.Pool with what guides say: timeouts, keepalive, and an error listener. */
export const advisedPgPool: Stack = {
  name: 'pg.Pool, advised',
  packages: ['pg'],
  async open(connectionString) {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({
      connectionString,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
      keepAlive: true,
      maxLifetimeSeconds: 300,
    })
    pool.on('error', () => {})
    return appOnPool(pool)
  },
}

export const guardedPool: Stack = {
  name: 'poolguard: pg',
  packages: ['pg'],
  async open(url) {
    const { GuardedPool } = await import('@poolguard/pg')
    return appOnPool(new GuardedPool({ url, pool: { max: MAX_CONNECTIONS } }))
  },
}

/** Several apps that share the connections of their database. */
export const guardedFleet: Stack = {
  name: 'poolguard: pg in a fleet',
  packages: ['pg'],
  async open(url) {
    const { GuardedPool } = await import('@poolguard/pg')
    return appOnPool(new GuardedPool({ url, fleet: { app: 'soak' }, pool: { max: MAX_CONNECTIONS } }))
  },
}
