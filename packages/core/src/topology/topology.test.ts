import { expect, test } from 'vitest'
import { describeTopology, keepsSession, type PoolerTopology, type Topology } from './topology.ts'

const measured = { preparedStatements: 'safe', server: { version: null }, evidence: [] } as const
const pooled = (pooler: PoolerTopology['pooler']): Topology => ({ kind: 'pooler', pooler, ...measured })

test.each<[topology: Topology, keeps: boolean, description: string]>([
  [{ kind: 'direct', ...measured }, true, 'PostgreSQL, directly'],
  [{ kind: 'unknown', ...measured }, false, 'unknown; treated as a pooler in transaction mode'],
  [
    pooled({ name: 'PgBouncer', version: '1.26.1', mode: 'session', proven: true }),
    true,
    'PgBouncer 1.26.1 in session mode, prepared statements safe',
  ],
  [
    pooled({ name: 'unknown', mode: 'session', proven: false }),
    false,
    'a pooler in session mode (not proven), prepared statements safe',
  ],
  [
    pooled({ name: 'unknown', mode: 'transaction', proven: true }),
    false,
    'a pooler in transaction mode, prepared statements safe',
  ],
  [
    pooled({ name: 'PgBouncer', mode: 'statement', proven: true }),
    false,
    'PgBouncer in statement mode, prepared statements safe',
  ],
])('%o keeps the session: %s (%s)', (topology, keeps, description) => {
  expect(keepsSession(topology)).toBe(keeps)
  expect(describeTopology(topology)).toBe(description)
})
