import type { Topology } from '../topology/index.ts'
import type { SettingsOptions } from './options.ts'

/** The topology that the option `pooler` states; undefined for `auto`, where poolguard detects the topology. */
export function assumedTopology({ pooler = 'auto' }: SettingsOptions): Topology | undefined {
  if (pooler === 'auto') return undefined
  const given = { server: { version: null }, evidence: [`given as pooler: '${pooler}'`] }
  if (pooler === 'none') return { kind: 'direct', preparedStatements: 'safe', ...given }
  return {
    kind: 'pooler',
    pooler: { name: 'unknown', mode: pooler, proven: true },
    preparedStatements: pooler === 'session' ? 'safe' : 'unknown',
    ...given,
  }
}
