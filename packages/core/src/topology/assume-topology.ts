import type { ConnectionString } from '../connection-string/index.ts'
import { guessProvider } from '../provider/index.ts'
import type { PoolerTopology, PoolMode } from './topology.ts'

/**
 * What the address lets one assume until a probe has answered: never a proof, so that nothing unsafe relies on it.
 * Undefined where no pooler is to be assumed.
 *
 * @throws {ConnectionStringError} if a `port` parameter is none.
 * @example
 * assumeTopology(parseConnectionString('postgresql://ep-cool-1-pooler.eu-central-1.aws.neon.tech/x'))?.pooler.mode
 * // 'transaction'
 */
export function assumeTopology(connection: ConnectionString): PoolerTopology | undefined {
  const assumption = guessProvider(connection)
  if (!assumption || assumption.endpoint === 'direct') return undefined
  // Where the mode is open, the one in which the least works.
  const mode: PoolMode = assumption.endpoint === 'session-pooler' ? 'session' : 'transaction'
  return {
    kind: 'pooler',
    pooler: { name: 'unknown', mode, proven: false },
    preparedStatements: 'unknown',
    server: { version: null },
    evidence: [`assumed from the address: ${assumption.provider} (${assumption.source})`],
  }
}
