import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BudgetError } from './budget-error.ts'
import { planBudget } from './plan.ts'
import type { PlanInput } from './plan-input.ts'
import { poolerServers } from './pooler-capacity.ts'
import type { Surge } from './surge.ts'

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

const inputs: fc.Arbitrary<PlanInput> = fc.record({
  capacity: fc.record({
    maxConnections: fc.integer({ min: 1, max: 300 }),
    reserved: fc.nat(10),
    roleLimit: fc.option(fc.nat(300)),
    databaseLimit: fc.option(fc.nat(300)),
    used: fc.nat(300),
    usedByRole: fc.nat(300),
    usedByDatabase: fc.nat(300),
  }),
  instances: fc.integer({ min: 1, max: 400 }),
  maxSurge: maybe(
    fc.oneof(
      fc.nat(20),
      fc.nat(100).map((share): Surge => `${share}%`),
    ),
  ),
  processesPerInstance: maybe(fc.integer({ min: 1, max: 4 })),
  poolsPerProcess: maybe(fc.integer({ min: 1, max: 3 })),
  migrations: maybe(fc.nat(5)),
  headroom: maybe(fc.nat(50)),
  others: maybe(fc.record({ connections: fc.nat(60), ofRole: fc.nat(40), ofDatabase: fc.nat(40) })),
  pooler: maybe(
    fc.record({
      mode: fc.constantFrom('session', 'transaction', 'statement'),
      maxClients: fc.nat(500),
      otherClients: fc.nat(50),
      poolSize: fc.nat(60),
      reservePoolSize: fc.nat(5),
      maxDbConnections: fc.option(fc.integer({ min: 1, max: 100 })),
      maxUserConnections: fc.option(fc.integer({ min: 1, max: 100 })),
    }),
  ),
})

test('a plan divides no more than the available connections, and all that can be divided equally', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      fc.pre(fits(input))
      const { maxPerPool, pools, headroom, usable } = planBudget(input)
      const { pooler, migrations = 0 } = input
      const kept = headroom + migrations
      expect(maxPerPool).toBeGreaterThanOrEqual(1)
      if (!pooler) {
        expect(maxPerPool * pools + kept).toBeLessThanOrEqual(usable)
        expect((maxPerPool + 1) * pools + kept).toBeGreaterThan(usable)
        return
      }
      const servers = poolerServers(pooler)
      const clients = pooler.maxClients - pooler.otherClients
      expect(maxPerPool * pools).toBeLessThanOrEqual(clients)
      if (pooler.mode === 'session') expect(maxPerPool * pools).toBeLessThanOrEqual(Math.min(servers, usable - kept))
      else expect(Math.max(maxPerPool, servers + kept - usable + 1)).toBeLessThanOrEqual(Math.max(servers, 1))
    }),
    { seed: 6, numRuns: 2_000 },
  )
})

test('a plan that does not fit does fit with its advice, and not with one connection less', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const message = refusalOf(input)
      fc.pre(message !== undefined)
      for (const { change, earlier } of readAdvice(message ?? '', input)) {
        expect(fits(change), `${message}\n${JSON.stringify(change)}`).toBe(true)
        expect(fits(earlier), `${message}\n${JSON.stringify(earlier)}`).toBe(false)
      }
    }),
    { seed: 7, numRuns: 4_000 },
  )
})

test('a plan that does not fit always advises a limit to raise', () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const message = refusalOf(input)
      fc.pre(message !== undefined)
      expect(message).toMatch(/raise .+ to \d+/i)
    }),
    { seed: 8 },
  )
})

function refusalOf(input: PlanInput): string | undefined {
  try {
    planBudget(input)
    return undefined
  } catch (error) {
    if (error instanceof BudgetError) return error.message
    throw error
  }
}

function fits(input: PlanInput): boolean {
  return refusalOf(input) === undefined
}

interface Advice {
  readonly change: PlanInput
  /** One less than the advised number, or one more. */
  readonly earlier: PlanInput
}

/** Applies each advice of a refusal on its own. */
function readAdvice(message: string, input: PlanInput): Advice[] {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(message)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const advice: Advice[] = [{ change: raised(message, input, 0), earlier: raised(message, input, -1) }]
  const instances = number(/at most (\d+) instance/)
  // With a percentage as surge, one more instance may not add a pool, so this only applies the advised number.
  if (instances !== undefined) {
    advice.push({ change: { ...input, instances }, earlier: { ...input, instances: instances + 1 } })
  }
  const maxSurge = number(/maxSurge of (\d+)/)
  if (maxSurge !== undefined) {
    advice.push({ change: { ...input, maxSurge }, earlier: { ...input, maxSurge: maxSurge + 1 } })
  }
  const together = number(/reserve_pool_size to (\d+) together/)
  if (together !== undefined) {
    const lowered = (poolSize: number): PlanInput => {
      const maxClients = number(/raise max_client_conn to (\d+)/) ?? input.pooler?.maxClients
      return { ...input, pooler: { ...input.pooler, maxClients, poolSize, reservePoolSize: 0 } as PlanInput['pooler'] }
    }
    advice.push({ change: lowered(together), earlier: lowered(together + 1) })
  }
  return advice
}

/** The input with every limit raised as a refusal advises. */
function raised(message: string, input: PlanInput, less: number): PlanInput {
  // The text after the last "raise" is the advice about limits.
  const raises = message.slice(message.search(/raise (?!.*raise )/i))
  const advised = <T>(limit: string, now: T): T | number => {
    const found = new RegExp(`${limit} to (\\d+)`).exec(raises)
    return found ? Number(found[1]) + less : now
  }
  const { capacity, pooler } = input
  return {
    ...input,
    capacity: {
      ...capacity,
      maxConnections: advised('max_connections', capacity.maxConnections),
      roleLimit: advised("the role's CONNECTION LIMIT", capacity.roleLimit),
      databaseLimit: advised("the database's CONNECTION LIMIT", capacity.databaseLimit),
    },
    pooler: pooler && {
      ...pooler,
      maxClients: advised('max_client_conn', pooler.maxClients),
      poolSize: advised('default_pool_size', pooler.poolSize),
      maxDbConnections: advised('max_db_connections', pooler.maxDbConnections),
      maxUserConnections: advised('max_user_connections', pooler.maxUserConnections),
    },
  }
}
