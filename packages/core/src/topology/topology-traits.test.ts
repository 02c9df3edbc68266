import { expect, test } from 'vitest'
import type { PoolMode, Topology } from './topology.ts'
import { type TopologyTraits, topologyTraits } from './topology-traits.ts'

const measured = { preparedStatements: 'safe', server: { version: null }, evidence: [] } as const

function pooled(mode: PoolMode, proven: boolean): Topology {
  return { kind: 'pooler', pooler: { name: 'unknown', mode, proven }, ...measured }
}

test.each<[topology: Topology, traits: Omit<TopologyTraits, 'preparedStatements'>]>([
  [
    { kind: 'direct', ...measured },
    { sharesServers: false, refusesStartupParameters: false },
  ],
  [
    { kind: 'unknown', ...measured },
    { sharesServers: true, refusesStartupParameters: true },
  ],
  [pooled('session', true), { sharesServers: false, refusesStartupParameters: true }],
  [pooled('session', false), { sharesServers: true, refusesStartupParameters: true }],
  [pooled('transaction', true), { sharesServers: true, refusesStartupParameters: true }],
  [pooled('statement', true), { sharesServers: true, refusesStartupParameters: true }],
])('of %o are %o', (topology, traits) => {
  expect(topologyTraits(topology)).toEqual({ ...traits, preparedStatements: 'safe' })
})
