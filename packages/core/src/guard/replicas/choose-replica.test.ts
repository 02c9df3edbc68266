import { expect, test } from 'vitest'
import { type Candidate, chooseReplica, type ReplicaState } from './choose-replica.ts'

function replica(name: string, given: Partial<Candidate> = {}): Candidate & { readonly name: string } {
  return {
    name,
    state: 'usable',
    position: { systemId: '7', timeline: 1, lsn: 100n },
    waiting: 0,
    activeShare: 0,
    ...given,
  }
}

const at = (lsn: bigint, timeline = 1) => ({ position: { systemId: '7', timeline, lsn } })

test.each<ReplicaState>(['unknown', 'lagging', 'down', 'promoted'])('does not choose one that is %s', (state) => {
  expect(chooseReplica([replica('a', { state }), replica('b')], {}).chosen).toMatchObject({ name: 'b' })
  expect(chooseReplica([replica('a', { state })], {}).chosen).toBeUndefined()
})

test('chooses the one with the fewest waiters, then the smallest share in use, then the first', () => {
  const b = replica('b', { activeShare: 0.2 })
  expect(chooseReplica([replica('a', { waiting: 1 }), replica('c', { activeShare: 0.5 }), b], {}).chosen).toBe(b)
  expect(chooseReplica([b, replica('d', { activeShare: 0.2 })], {}).chosen).toBe(b)
})

test('chooses the preferred one if it can be used', () => {
  const preferred = replica('b', { waiting: 9 })
  expect(chooseReplica([replica('a'), preferred], { preferred }).chosen).toBe(preferred)
  const down = replica('c', { state: 'down' })
  expect(chooseReplica([replica('a'), down], { preferred: down }).chosen).toMatchObject({ name: 'a' })
})

test('chooses only one that has replayed what is needed, and names those that may reach it', () => {
  const needed = { systemId: '7', timeline: 1, lsn: 150n }
  const behind = replica('behind')
  const others = [replica('elsewhere', at(900n, 2)), replica('silent', { position: undefined })]
  expect(chooseReplica([behind, ...others], { needed })).toEqual({ chosen: undefined, behind: [behind] })
  const exact = replica('exact', at(150n))
  expect(chooseReplica([behind, exact], { needed, preferred: behind })).toEqual({ chosen: exact, behind: [] })
})
