import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { PoolEvent } from '@poolguard/core'
import { keepsSession } from '@poolguard/core/postgres'
import { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  type PostgresVersion,
  pgBouncerVersions,
  postgresVersions,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '../harness/index.ts'
import { findAt, findTarget, targetsFor, wrongAbout } from '../topology/target.ts'

describe('given PostgreSQL itself', () => {
  test.for(postgresVersions)('version %i is found to be direct', async (version) => {
    await using server = await startPostgres({ version })
    const { topology } = await findAt(server.url)
    expect(topology).toMatchObject({ kind: 'direct', preparedStatements: 'safe', server: { version: server.version } })
    expect(topology?.evidence).toEqual([expect.stringContaining('is the one announced at login')])
  })
})

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    const servers = new Map<PostgresVersion, PostgresServer>()
    beforeAll(async () => {
      for (const postgres of [15, 18] as const) servers.set(postgres, await startPostgres({ version: postgres }))
    })
    afterAll(async () => {
      await Promise.all([...servers.values()].map((server) => server.stop()))
    })

    test.for(targetsFor(version))(
      '$poolMode mode, pool size $poolSize from $minPoolSize on, round robin $roundRobin, max_prepared_statements $maxPreparedStatements, PostgreSQL $postgres, traffic $traffic',
      async (target) => {
        const { topology } = await findTarget(version, target, servers.get(target.postgres) as PostgresServer)
        expect(wrongAbout(target, topology), topology?.evidence.join('\n')).toBeUndefined()
      },
    )

    test('nothing is left behind by the probing', async () => {
      const server = servers.get(18) as PostgresServer
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 1 } })
      const pool = new GuardedPool({ url: pooler.url })
      await pool.ready()
      const { rows } = await pool.query(
        `select (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
                (select count(*)::int from pg_stat_activity where state like 'idle in transaction%') as transactions,
                (select count(*)::int from pg_prepared_statements where name like 'poolguard%') as statements`,
      )
      expect(rows).toEqual([{ locks: 0, transactions: 0, statements: 0 }])
      await pool.end()
    })
  })
}

const describeDefault = await describeWithPgBouncer()
describeDefault('given a pooler that refuses startup parameters', () => {
  test('then connections are made without them, and that is said once', async () => {
    await using server = await startPostgres()
    await using pooler = await startPgBouncer({ upstream: server })
    const warnings: string[] = []
    const pool = new GuardedPool({
      url: `${pooler.url}?options=-c%20geqo%3Doff`,
      statement_timeout: 5_000,
      onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
    })
    await Promise.all(Array.from({ length: 20 }, () => pool.query('select 1')))
    expect(warnings).toEqual([
      expect.stringContaining('startup parameter statement_timeout'),
      expect.stringContaining('startup parameter options'),
    ])
    await pool.end()
  })
})

const describeSilent = await describeWithPgBouncer('1.24')
describeSilent('given several processes of a pooler behind one address, which does not announce itself', () => {
  test.for([
    { poolMode: 'transaction', poolSize: 1, oneIsHeld: false },
    { poolMode: 'transaction', poolSize: 1, oneIsHeld: true },
    { poolMode: 'transaction', poolSize: 20, oneIsHeld: false },
    { poolMode: 'session', poolSize: 20, oneIsHeld: false },
  ] as const)(
    'then nothing relies on a session: $poolMode mode, pool size $poolSize, one of them held: $oneIsHeld',
    async ({ poolMode, poolSize, oneIsHeld }) => {
      await using server = await startPostgres()
      const settings = { default_pool_size: poolSize }
      await using first = await startPgBouncer({ version: '1.24', poolMode, upstream: server, settings })
      await using second = await startPgBouncer({ version: '1.24', poolMode, upstream: server, settings })
      await using address = await listenInFrontOf([first, second])
      const holder = new GuardedPool({ url: second.url, pooler: 'transaction' })
      const held = await holder.connect()
      if (oneIsHeld) await held.query('begin')
      for (let i = 0; i < 3; i++) {
        const { topology } = await findAt(address.urlFor(first.url))
        // A first connection that meets the process without a free server shows nothing, and is looked at again later.
        expect(oneIsHeld ? ['pooler', 'unknown'] : ['pooler']).toContain(topology?.kind)
        expect(topology && keepsSession(topology), topology?.evidence.join('\n')).toBe(false)
      }
      held.release()
      await holder.end()
    },
  )
})

describe('given several pools of one process', () => {
  test('then the first looks, the others know, and a server that was away is looked at again', async () => {
    await using server = await startPostgres()
    const look = async (pool: GuardedPool) => (await pool.ready()).topology
    let isAway = false
    const onEvent = ({ type }: PoolEvent) => {
      isAway ||= type === 'connect-failed'
    }
    const first = new GuardedPool({ url: server.url, onEvent })
    const second = new GuardedPool({ url: server.url })
    const third = new GuardedPool({ url: server.url, onEvent: () => {} })

    const found = await look(first)
    expect(found).toMatchObject({ kind: 'direct' })
    expect(await look(second)).toBe(found)

    await server.kill('SIGKILL')
    // A session can outlive the main process for a moment.
    const askAgain = () => void first.query('select 1').catch(() => {})
    await waitUntil(() => isAway || askAgain(), { what: 'a failed attempt to connect' })
    await server.restart()
    await first.query('select 1')
    expect(await look(third)).not.toBe(found)
    await Promise.all([first.end(), second.end(), third.end()])
  })
})

/** One address in front of several processes, which get the connections in turn, as by so_reuseport or a load balancer. */
async function listenInFrontOf(processes: readonly { host: string; port: number }[]) {
  let next = 0
  const listener = createServer((client) => {
    const { host, port } = processes[next++ % processes.length] as { host: string; port: number }
    const upstream = connect(port, host)
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) socket.on('error', () => [client, upstream].map((each) => each.destroy()))
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    urlFor: (url: string) => url.replace(/@[^/]+/, `@127.0.0.1:${port}`),
    [Symbol.asyncDispose]: async () => void listener.close(),
  }
}
