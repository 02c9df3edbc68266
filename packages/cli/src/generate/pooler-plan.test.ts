import { BudgetError, type PlanInput } from '@poolguard/core/postgres'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sourceByHand } from '../plan/plan-source.ts'
import { planPooler } from './pooler-plan.ts'

function input(maxConnections: number, rest: Partial<PlanInput> = {}): PlanInput {
  return { capacity: sourceByHand({ maxConnections, reserved: 3 }).capacity, instances: 4, ...rest }
}

test('the pooler stays within the budget and 70 %, and each pool gets twice its share', () => {
  expect(planPooler(input(100))).toMatchObject({
    maxDbConnections: 70,
    poolSize: 62,
    reservePoolSize: 7,
    maxClients: 4 * 36 + 15,
    budget: { maxPerPool: 36, pools: 4 },
  })
})

test.each<[given: string, plan: PlanInput, maxPerPool: number]>([
  ['many pools, ten each', input(100, { instances: 20, processesPerInstance: 4 }), 10],
  ['one pool, all connections of the pooler', input(100, { instances: 1 }), 69],
  ['a small server, no more than its connections', input(12), 5],
])('given %s', (_, plan, maxPerPool) => {
  expect(planPooler(plan).budget.maxPerPool).toBe(maxPerPool)
})

test('without a connection for password lookups, the plan does not fit', () => {
  expect(() => planPooler(input(7))).toThrow(BudgetError)
})

test('every plan stays within its limits', () => {
  const plans = fc.record({
    maxConnections: fc.integer({ min: 9, max: 2_000 }),
    instances: fc.integer({ min: 1, max: 200 }),
    processesPerInstance: fc.integer({ min: 1, max: 16 }),
    migrations: fc.nat(1),
  })
  fc.assert(
    fc.property(plans, ({ maxConnections, ...rest }) => {
      const plan = planPooler(input(maxConnections, rest))
      const { budget, poolSize, reservePoolSize, maxDbConnections, maxClients } = plan
      expect(poolSize).toBeGreaterThanOrEqual(1)
      // One more looks up passwords.
      expect(poolSize + reservePoolSize + 1).toBe(maxDbConnections)
      expect(maxDbConnections).toBeLessThanOrEqual(0.7 * maxConnections)
      expect(maxDbConnections + budget.headroom + rest.migrations).toBeLessThanOrEqual(budget.usable)
      expect(budget.maxPerPool * budget.pools).toBeLessThan(maxClients)
      expect(budget.maxPerPool).toBeLessThanOrEqual(poolSize + reservePoolSize)
    }),
    { seed: 7 },
  )
})
