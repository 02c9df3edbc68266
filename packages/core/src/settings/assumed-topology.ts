import type { Topology } from '../topology/index.ts'
import type { SettingsOptions } from './options.ts'

/** What the user has said is at the other end; undefined where it is to be found out. */
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
