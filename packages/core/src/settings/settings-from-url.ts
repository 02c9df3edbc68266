import type { Reading } from '../drivers/index.ts'
import { omitUndefined } from '../omit-undefined.ts'
import type { PoolSettings } from '../pool/index.ts'

/** The pool settings in a URL, under the names of any driver (`connection_limit`, `pool_timeout`, `idle_timeout`...). */
export function poolSettings({ settings }: Reading): Partial<PoolSettings> {
  const { max, min, acquireTimeoutMillis, connectTimeoutMillis, idleTimeoutMillis, maxLifetimeMillis } = settings
  return omitUndefined({ max, min, acquireTimeoutMillis, connectTimeoutMillis, idleTimeoutMillis, maxLifetimeMillis })
}
