import { inspect } from '../node-util.ts'
import { ProcessWide } from '../process-wide.ts'

interface RegisteredPool {
  readonly fingerprint: string
  readonly pool: unknown
  /** The most recent caller of `sharePool`, which may close it. */
  owner: symbol
}

const registeredPools = new ProcessWide('poolguard.named.1', () => new Map<string, RegisteredPool>())

/** How to create and close a named pool. */
export interface NamedPool<P> {
  /** Pools of different kinds may have the same name. */
  readonly kind: string
  /** Without a name, every call creates a pool. */
  readonly name: string | undefined
  /** Everything that the pool depends on; if it changes, the pool is replaced. */
  readonly options: unknown
  make(): P
  isOpen(pool: P): boolean
  close(pool: P): Promise<unknown>
}

/** A pool that may be shared with earlier callers that used the same name. */
export interface SharedPool<P> {
  readonly pool: P
  /** Closes the pool, unless it is closed already or a later caller shares it: then that caller closes it. */
  end(): Promise<void>
}

/**
 * Keeps one pool per name in a process. `next dev`, Vite and similar tools load a module again after every change, and each load
 * would leave a pool behind. An open pool of the same kind, name and options is reused. With different options, a new pool
 * replaces the old one, which is drained, so that there are two for a while. Functions in the options are compared by their text,
 * not by their captured variables.
 *
 * @example
 * const { pool, end } = sharePool({
 *   kind: 'pg',
 *   name: 'orders',
 *   options: { url },
 *   make: () => new GuardedPool({ url, name: 'orders' }),
 *   isOpen: (made) => !made.closed,
 *   close: (made) => made.end(),
 * })
 */
export function sharePool<P>({ kind, name, options, make, isOpen, close }: NamedPool<P>): SharedPool<P> {
  const share = (pool: P, isOwner: () => boolean): SharedPool<P> => ({
    pool,
    end: async () => {
      if (isOwner() && isOpen(pool)) await close(pool)
    },
  })
  if (name === undefined) return share(make(), () => true)
  const key = `${kind}:${name}`
  const fingerprint = fingerprintOf(options)
  const registered = registeredPools.value.get(key)
  const earlier = registered && isOpen(registered.pool as P) ? registered : undefined
  const owner = Symbol(name)
  const isOwner = () => registeredPools.value.get(key)?.owner === owner
  if (earlier?.fingerprint === fingerprint) {
    earlier.owner = owner
    return share(earlier.pool as P, isOwner)
  }
  // Before the registration: if `make` throws because of invalid options, the earlier pool stays.
  const pool = make()
  registeredPools.value.set(key, { fingerprint, pool, owner })
  if (earlier) {
    process.emitWarning(
      `pool "${name}" was created again with different options: the new pool replaces the old one, which is drained. ` +
        'If you want two pools, give them different names.',
      'PoolguardWarning',
    )
    close(earlier.pool as P).catch(() => {})
  }
  return share(pool, isOwner)
}

/** Hashed, because options contain passwords. Functions are compared by text, because each load of a module creates new ones. */
function fingerprintOf(options: unknown): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(textOf(options)).digest('hex')
}

function textOf(options: unknown): string {
  try {
    return String(
      JSON.stringify(options, (_key, value) =>
        typeof value === 'function' || typeof value === 'bigint' ? String(value) : value,
      ),
    )
  } catch {
    // JSON does not support circular references.
    return inspect(options, { depth: Infinity })
  }
}
