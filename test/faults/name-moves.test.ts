import dns, { type LookupAddress } from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { connect, createServer } from 'node:net'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type FailoverBed, startFailoverBed, waitUntil } from '../harness/index.ts'

const SETUP = 'CREATE TABLE written (id int); GRANT ALL ON written TO app'
const NAME = 'primary.test'
/** macOS has only 127.0.0.1. */
const OTHER_LOOPBACK = '127.0.0.2'

/** Makes the name resolve to an address, for sockets and for the pool. */
function resolveName(address: () => string): { readonly lookups: number } {
  const counted = { lookups: 0 }
  const found = (): LookupAddress => {
    counted.lookups++
    return { address: address(), family: 4 }
  }
  const { lookup, promises } = dns
  const forSockets = (name: string, options: dns.LookupOptions, callback: (...answer: unknown[]) => void) => {
    if (name !== NAME) return Reflect.apply(lookup, dns, [name, options, callback])
    const one = found()
    callback(null, ...(options.all ? [[one]] : [one.address, one.family]))
  }
  const forPools = async (name: string, options: dns.LookupAllOptions) =>
    name === NAME ? [found()] : lookupAll(name, options)
  const lookupAll = promises.lookup
  const plain = vi.spyOn(dns, 'lookup').mockImplementation(forSockets as typeof lookup)
  const promised = vi.spyOn(promises, 'lookup').mockImplementation(forPools as typeof lookupAll)
  syncBuiltinESMExports()
  onTestFinished(() => {
    plain.mockRestore()
    promised.mockRestore()
    syncBuiltinESMExports()
  })
  return counted
}

/** The standby at another address, with the port of the primary. */
async function exposeStandby({ proxies: [primary], standby }: FailoverBed): Promise<void> {
  const server = createServer((client) => {
    const upstream = connect({ host: standby.host, port: standby.port })
    client.pipe(upstream).pipe(client)
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(primary.port, OTHER_LOOPBACK, resolve)
  })
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
}

interface App {
  query(text: string): Promise<unknown>
  connections(): number
}

const DRIVERS: Readonly<Record<string, (url: string) => App>> = {
  pg: (url) => {
    const pool = new GuardedPool({ url, max: 3, onEvent: () => {} })
    onTestFinished(() => pool.end())
    return { query: (text) => pool.query(text), connections: () => pool.snapshot().stats.total }
  },
  'postgres.js': (url) => {
    const sql = guardPostgres(url, { max: 3, onEvent: () => {} })
    onTestFinished(() => sql.end())
    return { query: async (text) => await sql.unsafe(text), connections: () => sql.snapshot().stats.total }
  },
}

describe.skipIf(process.platform === 'darwin').each(Object.keys(DRIVERS))(
  '%s with a name that follows the primary',
  (driver) => {
    test.each(['', 'target_session_attrs=read-write'])(
      'looks it up again for each attempt, so that a waiting write runs on the new primary (%s)',
      async (parameters) => {
        const bed = await startFailoverBed(SETUP)
        onTestFinished(() => bed[Symbol.asyncDispose]())
        await exposeStandby(bed)
        let address = '127.0.0.1'
        const counted = resolveName(() => address)
        const { primary } = bed.replication
        const url = primary.url.replace(/@[^/]+/, `@${NAME}:${bed.proxies[0].port}`)
        const app = DRIVERS[driver]?.(`${url}?${parameters}`) as App
        await app.query('insert into written values (1)')
        await bed.replication.caughtUp()
        await bed.disrupt('killed')
        await waitUntil(() => app.connections() === 0, { what: 'the connections are lost' })

        const before = counted.lookups
        const waiting = app.query('insert into written values (2)')
        await waitUntil(() => counted.lookups >= before + 2, { what: 'two attempts have failed' })
        await bed.promote()
        address = OTHER_LOOPBACK
        await waiting

        expect(await bed.standby.query('select array_agg(id order by id) as ids from written')).toEqual([
          { ids: [1, 2] },
        ])
      },
    )
  },
)
