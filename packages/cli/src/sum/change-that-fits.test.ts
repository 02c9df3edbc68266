import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deployed, workload } from '../doctor/testing/deployments.ts'
import { pool } from '../doctor/testing/facts.ts'
import { type Deployment, setTo, shareOf } from '../project/deployments/container.ts'
import type { PoolInSource } from '../project/pool-in-source.ts'
import { changesThatFit, instancesThatFit } from './change-that-fits.ts'
import { limitOf } from './connection-limit.ts'
import { sumConnections } from './sum-connections.ts'

const place = { file: 'k8s.yaml', line: 7 }

function sum(workloads: Deployment['workloads'], pools: readonly PoolInSource[]) {
  const [deployment] = deployed({ workloads }).deployments
  return sumConnections(deployment as Deployment, [{ folder: '', name: 'shop', pools }], undefined)
}

const poolAt = (line: number, max: number) => pool(max, { line, maxLine: line })

test('with the proposed sizes, the sum fits; without any, even one connection for each pool is too much', () => {
  const size = fc.integer({ min: 1, max: 60 })
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 4 }), size, size, (sizes, instances, max) => {
      const workloads = [workload('api', instances), workload('worker', 3)]
      const limit = limitOf(max * 4 + 10, '--max-connections')
      const before = sum(
        workloads,
        sizes.map((each, line) => poolAt(line + 1, each)),
      )
      if (before.total <= limit.usable) return
      const changes = changesThatFit(before, limit)
      const changed = sizes.map((each, line) =>
        poolAt(line + 1, changes.find((change) => change.place?.line === line + 1)?.to ?? each),
      )
      if (changes.length > 0) expect(sum(workloads, changed).total).toBeLessThanOrEqual(limit.usable)
      else expect((instances + 3) * sizes.length).toBeGreaterThan(limit.usable)
    }),
  )
})

test('one large pool changes alone, pools of the same size together', () => {
  const limit = limitOf(100, '--max-connections')
  const changes = (...sizes: number[]) =>
    changesThatFit(
      sum(
        [workload('api', 4)],
        sizes.map((each, line) => poolAt(line + 1, each)),
      ),
      limit,
    ).map(({ from, to }) => [from, to])

  expect(changes(50)).toEqual([[50, 21]])
  expect(changes(20, 5)).toEqual([[20, 16]])
  expect(changes(10, 10, 10)).toEqual([
    [10, 7],
    [10, 7],
    [10, 7],
  ])
})

test('a number of instances includes the surge that grows with it', () => {
  const instances = setTo(24, 'maxReplicas', place)
  const surge = { ...shareOf(24, 0.25, 'maxSurge: 25%', { file: 'k8s.yaml', line: 9 }), setting: 'maxSurge' }
  const autoscaled = workload('api', 24, { instances: { usual: instances, most: instances }, surge })

  // 7 instances and 2 more during a deploy have 90 connections; 8 and 2 more have 100.
  expect(instancesThatFit(sum([autoscaled], [pool(10)]), limitOf(100, '--max-connections'))).toEqual([
    { what: 'maxReplicas', from: 24, to: 7, place },
  ])
  // Without a deploy it fits, so that a smaller surge is enough.
  const [first] = instancesThatFit(sum([autoscaled], [pool(10)]), limitOf(260, '--max-connections'))
  expect(first).toMatchObject({ what: 'maxSurge', from: 6, to: 1 })
})
