import type { PostgresServer } from './postgres-server.ts'
import { type FaultProxy, startProxy } from './proxy.ts'
import { type Replication, type ReplicationOptions, startReplication } from './replication.ts'

/** How a primary ceases to be one. */
export type Disruption = 'killed' | 'cut-off' | 'read-only'

/** A primary and a standby, each behind a proxy. */
export interface FailoverBed extends AsyncDisposable {
  readonly replication: Replication
  readonly standby: PostgresServer
  /** In front of the primary, and of the standby. */
  readonly proxies: readonly [FaultProxy, FaultProxy]
  /** A connection string with both hosts, the primary first. */
  urlFor(parameters?: string): string
  disrupt(disruption: Disruption): Promise<void>
  promote(): Promise<void>
}

/** @param setup runs on the primary as superuser, and is replayed on the standby. */
export async function startFailoverBed(
  setup: string,
  options: Omit<ReplicationOptions, 'standbys'> = {},
): Promise<FailoverBed> {
  const stack = new AsyncDisposableStack()
  try {
    const replication = stack.use(await startReplication(options))
    const { primary, standbys } = replication
    const [standby] = standbys
    if (!standby) throw new Error('no standby has started')
    const proxies = [
      stack.use(await startProxy({ target: primary })),
      stack.use(await startProxy({ target: standby })),
    ] as const
    await primary.query(setup)
    await replication.caughtUp()
    const hosts = proxies.map(({ host, port }) => `${host}:${port}`).join(',')
    return {
      replication,
      standby,
      proxies,
      urlFor: (parameters = '') => `${primary.url.replace(/@[^/]+/, `@${hosts}`)}?${parameters}`,
      async disrupt(disruption) {
        if (disruption === 'killed') return await primary.kill('SIGKILL')
        if (disruption === 'cut-off') return proxies[0].blackhole()
        await primary.query('ALTER SYSTEM SET default_transaction_read_only = on')
        await primary.query('SELECT pg_reload_conf()')
      },
      promote: () => replication.promote(standby),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
