import type { RoutingSnapshot } from '../../observe/index.ts'
import { type AcquireOptions, currentReadScope, type Lease } from '../../pool/index.ts'
import type { RoutedPool } from './replica-endpoint.ts'
import type { ReplicaPolicy } from './replica-options.ts'
import type { ReplicaSet } from './replica-set.ts'

/** What a caller tells about the statements for which it acquires a connection. */
export interface Route {
  /** The text of the only statement, which runs outside of a transaction. */
  readonly text?: string | undefined
  /** The server that the caller has chosen. */
  readonly on?: 'primary' | 'replica' | undefined
}

/** How a pool acquires its connections if it has replicas, or is one. */
export interface Routing<C extends object> {
  /** Whether the pool is that of a replica. */
  readonly isOfReplica: boolean
  /** Whether it routes to these replicas already. */
  joins(replicas: readonly RoutedPool<C>[], policy: ReplicaPolicy): boolean
  acquire(options: AcquireOptions | undefined, route: Route | undefined): Promise<Lease<C>>
  /** A connection of the pool could not be opened. */
  onConnectFailed(error: unknown): void
  /** The server has rejected a statement because it writes. */
  onReadOnly(text: string): void
  snapshot(): RoutingSnapshot | undefined
  stop(): void
}

/** A pool whose routing can be set. */
export interface RoutablePool<C extends object> extends RoutedPool<C> {
  routing: Routing<C> | undefined
  warn(message: string): void
}

/**
 * Makes pools the primary and its replicas. Code that routes is loaded with the first acquire.
 *
 * @param options `routesReplicas`: what is run on a replica's pool may go to another server.
 */
export function joinReplicas<C extends object>(
  primary: RoutablePool<C>,
  replicas: readonly RoutablePool<C>[],
  policy: ReplicaPolicy,
  { routesReplicas = true }: { readonly routesReplicas?: boolean } = {},
): void {
  if (primary.routing?.joins(replicas, policy)) return
  let set: ReplicaSet<C> | undefined
  const load = async () => {
    const { ReplicaSet } = await import('./replica-set.ts')
    // Callers that acquire at the same time share it.
    set ??= new ReplicaSet({ primary, replicas, policy, warn: (message) => primary.warn(message) })
    return set
  }
  primary.routing?.stop()
  primary.routing = new PrimaryRouting({ policy, replicas, set: () => set, load })
  for (const replica of replicas)
    replica.routing = replicaRouting(replica, () => set, routesReplicas ? load : undefined)
}

interface PrimaryRoutingOptions<C extends object> {
  readonly policy: ReplicaPolicy
  readonly replicas: readonly RoutedPool<C>[]
  readonly set: () => ReplicaSet<C> | undefined
  readonly load: () => Promise<ReplicaSet<C>>
}

class PrimaryRouting<C extends object> implements Routing<C> {
  readonly isOfReplica = false
  readonly #options: PrimaryRoutingOptions<C>

  constructor(options: PrimaryRoutingOptions<C>) {
    this.#options = options
  }

  joins(replicas: readonly RoutedPool<C>[], policy: ReplicaPolicy): boolean {
    const known = this.#options
    const isSame = replicas.length === known.replicas.length && replicas.every((each, i) => each === known.replicas[i])
    return isSame && JSON.stringify(policy) === JSON.stringify(known.policy)
  }

  async acquire(options: AcquireOptions | undefined, { text, on }: Route = {}): Promise<Lease<C>> {
    const { policy, set, load } = this.#options
    const replicas = set() ?? (await load())
    if (on === 'replica') return await replicas.acquireForRead(options)
    const onlyReads = text !== undefined && replicas.texts.onlyReads(text)
    const isOnPrimary = on === 'primary' || !policy.routesReads || currentReadScope().isOnPrimary
    if (!onlyReads) return await replicas.acquireForWrite(options)
    return isOnPrimary ? await replicas.acquireOnPrimary(options) : await replicas.acquireForRead(options)
  }

  onReadOnly(text: string): void {
    this.#options.set()?.texts.addWriting(text)
  }

  onConnectFailed(): void {}

  snapshot(): RoutingSnapshot | undefined {
    return this.#options.set()?.snapshot()
  }

  stop(): void {
    this.#options.set()?.stop()
  }
}

/**
 * All statements on the pool of a replica are reads, which another server may answer.
 *
 * @param load undefined if they stay there.
 */
function replicaRouting<C extends object>(
  replica: RoutedPool<C>,
  set: () => ReplicaSet<C> | undefined,
  load: (() => Promise<ReplicaSet<C>>) | undefined,
): Routing<C> {
  return {
    isOfReplica: true,
    joins: () => false,
    acquire: async (options) =>
      load ? (set() ?? (await load())).acquireForRead(options, replica) : replica.acquireOwn(options),
    onConnectFailed: (error) => set()?.onConnectFailed(replica, error),
    onReadOnly: () => {},
    snapshot: () => undefined,
    stop: () => {},
  }
}
