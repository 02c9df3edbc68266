import type { ConnectionString } from '../connection-string/index.ts'
import { guessProvider } from '../provider/index.ts'
import type { PoolerTopology, PoolMode } from './topology.ts'

/**
 * The topology that the address suggests until a probe has answered. It is never proven, so that nothing unsafe depends on it.
 * Undefined if the address does not suggest a pooler.
 *
 * @throws {ConnectionStringError} for an invalid `port` parameter.
 * @example
 * assumeTopology(parseConnectionString('postgresql://ep-cool-1-pooler.eu-central-1.aws.neon.tech/x'))?.pooler.mode
 * // 'transaction'
 */
export function assumeTopology(connection: ConnectionString): PoolerTopology | undefined {
  const assumption = guessProvider(connection)
  if (!assumption || assumption.endpoint === 'direct') return undefined
  // If the mode is unknown, assume the more restrictive one.
  const mode: PoolMode = assumption.endpoint === 'session-pooler' ? 'session' : 'transaction'
  return {
    kind: 'pooler',
    pooler: { name: 'unknown', mode, proven: false },
    preparedStatements: 'unknown',
    server: { version: null },
    evidence: [`assumed from the address: ${assumption.provider} (${assumption.source})`],
  }
}
