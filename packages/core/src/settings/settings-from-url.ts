import type { ConnectionString } from '../connection-string/index.ts'
import { definedOnly } from '../defined-only.ts'
import { wishesOf } from '../drivers/index.ts'
import type { PoolSettings } from '../pool/index.ts'

/**
 * The settings that stand in a URL under any driver's name (`connection_limit`, `pool_timeout`, `idle_timeout`...), and that
 * the drivers themselves mostly ignore.
 *
 * @throws {ConnectionStringError} names the parameter whose value is no such number.
 */
export function settingsFromUrl(url: ConnectionString): Partial<PoolSettings> {
  const { max, min, acquireTimeoutMillis, connectTimeoutMillis, idleTimeoutMillis, maxLifetimeMillis } = wishesOf(url)
  return definedOnly({ max, min, acquireTimeoutMillis, connectTimeoutMillis, idleTimeoutMillis, maxLifetimeMillis })
}
