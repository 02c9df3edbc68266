import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { ProcessWide } from '../process-wide.ts'

interface Kept {
  readonly fingerprint: string
  readonly pool: unknown
  /** Who took it last. */
  holder: symbol
}

const keptPools = new ProcessWide('poolguard.named.1', () => new Map<string, Kept>())

/** How a pool of a name is made, and unmade. */
export interface NamedPool<P> {
  /** Pools of different kinds may have the same name. */
  readonly kind: string
  /** Without one, a pool is made each time. */
  readonly name: string | undefined
  /** All that the pool depends on; where that has changed, the pool is replaced. */
  readonly options: unknown
  make(): P
  isOpen(pool: P): boolean
  close(pool: P): Promise<unknown>
}

/** A pool that may be shared with whoever gave the same name before. */
export interface SharedPool<P> {
  readonly pool: P
  /** Closes it, unless it is closed, or somebody has taken the pool of this name since: then it is theirs to close. */
  end(): Promise<void>
}

/**
 * One pool per name in a process, however often the module is loaded that makes it: `next dev`, Vite and their kind load it
 * anew with every change, and each load would leave a pool behind. An open pool of the same kind, name and options is taken
 * again; with other options the new one takes its place, and the old one is drained, so that for a while there are two. A
 * name is one pool: functions among the options are compared by their text, not by what they have captured.
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
  const held = (pool: P, isLatest: () => boolean): SharedPool<P> => ({
    pool,
    end: async () => {
      if (isLatest() && isOpen(pool)) await close(pool)
    },
  })
  if (name === undefined) return held(make(), () => true)
  const key = `${kind}:${name}`
  const fingerprint = fingerprintOf(options)
  const kept = keptPools.value.get(key)
  const earlier = kept && isOpen(kept.pool as P) ? kept : undefined
  const holder = Symbol(name)
  const isLatest = () => keptPools.value.get(key)?.holder === holder
  if (earlier?.fingerprint === fingerprint) {
    earlier.holder = holder
    return held(earlier.pool as P, isLatest)
  }
  // First of all: options that cannot be meant leave the earlier pool as it is.
  const pool = make()
  keptPools.value.set(key, { fingerprint, pool, holder })
  if (earlier) {
    process.emitWarning(
      `pool "${name}": made again with other options, so the new one takes its place and the old one is drained. ` +
        'If two pools are meant, give them two names.',
      'PoolguardWarning',
    )
    close(earlier.pool as P).catch(() => {})
  }
  return held(pool, isLatest)
}

/** Hashed, since options hold passwords. A function counts by its text: each load of a module makes it anew. */
function fingerprintOf(options: unknown): string {
  return createHash('sha256').update(textOf(options)).digest('hex')
}

function textOf(options: unknown): string {
  try {
    return String(
      JSON.stringify(options, (_key, value) =>
        typeof value === 'function' || typeof value === 'bigint' ? String(value) : value,
      ),
    )
  } catch {
    // JSON knows no circles.
    return inspect(options, { depth: Infinity })
  }
}
