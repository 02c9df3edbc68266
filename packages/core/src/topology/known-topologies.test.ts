import { expect, test } from 'vitest'
import { forgetTopology, recallTopology, rememberTopology } from './known-topologies.ts'
import type { Topology } from './topology.ts'

const direct: Topology = { kind: 'direct', preparedStatements: 'safe', server: { version: '18.1' }, evidence: [] }

test('given a proven topology, then it is cached until it is removed', () => {
  expect(recallTopology('db:5432/x')).toBeUndefined()
  rememberTopology('db:5432/x', direct)
  expect(recallTopology('db:5432/x')).toBe(direct)
  expect(recallTopology('db:5432/y')).toBeUndefined()
  forgetTopology('db:5432/x')
  expect(recallTopology('db:5432/x')).toBeUndefined()
})

test('given an unproven topology, then it is not cached, and removes an earlier one', () => {
  rememberTopology('db:5432/x', direct)
  rememberTopology('db:5432/x', { ...direct, kind: 'unknown' })
  expect(recallTopology('db:5432/x')).toBeUndefined()
})
