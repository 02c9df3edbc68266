import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Lease } from './lease.ts'
import { FakeFactory, type FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool, type PoolUnderTest } from './testing/pool-under-test.ts'

/** The actions on a pool. `pick` selects one of the current targets of the action. */
type Operation =
  | { readonly type: 'acquire'; readonly timeoutMillis: number; readonly abortable: boolean }
  | { readonly type: 'release' | 'destroy' | 'release late' | 'lose' | 'abort'; readonly pick: number }
  | {
      readonly type: 'answer open' | 'answer check' | 'answer clean' | 'answer close'
      readonly pick: number
      readonly well: boolean
    }
  | { readonly type: 'advance'; readonly millis: number }
  | { readonly type: 'limit'; readonly limit: number }

const pick = fc.nat(1_000)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('acquire' as const),
      timeoutMillis: fc.constantFrom(0, 5, 50, 500, Infinity),
      abortable: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('release', 'destroy', 'release late', 'lose', 'abort'), pick }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom('answer open', 'answer check', 'answer clean', 'answer close'),
      pick,
      well: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('advance' as const), millis: fc.constantFrom(0, 1, 10, 60, 300) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('limit' as const), limit: fc.constantFrom(1, 2, 3, Infinity) }),
  },
)

const settings = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  limit: fc.constantFrom('max' as const, 1, 2),
  min: fc.integer({ min: 0, max: 1 }),
  maxUses: fc.constantFrom(1, 3, Infinity),
  maxWaiters: fc.constantFrom(0, 2, 100),
  maxLifetimeMillis: fc.constantFrom(150, Infinity),
  idleTimeoutMillis: fc.constantFrom(0, 40, Infinity),
  overload: fc.constantFrom('wait' as const, 'shed' as const),
})

const CLOSE_BOUND_MILLIS = 100

const connectErrors = [
  Object.assign(new Error('full'), { code: '53300' }),
  Object.assign(new Error('unreachable'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error('wrong password'), { code: '28P01' }),
]

interface Caller {
  readonly outcome: Outcome<Lease<FakeResource>>
  readonly abort: () => void
}

/** A pending call of the factory. */
interface Question {
  readonly answer: (well: boolean) => void
}

/** The environment of a pool: callers, and a server with its own counts. */
class World {
  readonly given: PoolUnderTest
  readonly callers: Caller[] = []
  readonly questions = {
    open: [] as Question[],
    check: [] as Question[],
    clean: [] as Question[],
    close: [] as Question[],
  }
  /** Occupied slots of the server: ids that are being opened, open, or closing within the timeout. */
  readonly slots = new Set<number>()
  /** During an overload, the order of service is not that of arrival. */
  wasOverloaded = false
  #limit: number
  /** Of callers before the last operation. */
  #heldBefore = 0

  constructor(settings: Parameters<typeof givenPool>[0]) {
    const factory = new FakeFactory()
    const ask = (kind: keyof World['questions'], answer: (well: boolean) => void) => {
      this.questions[kind].push({ answer })
    }
    factory.onOpen = (opening) => {
      const { id } = opening.resource
      this.slots.add(id)
      opening.promise.catch(() => this.slots.delete(id))
      ask('open', (well) => (well ? opening.succeed() : opening.fail(connectErrors[id % connectErrors.length])))
    }
    factory.onValidate = () => new Promise((resolve) => ask('check', resolve))
    factory.onReset = ({ id }) => (id % 2 === 0 ? true : new Promise((resolve) => ask('clean', resolve)))
    factory.onClose = ({ id }) => {
      this.given.clock.after(CLOSE_BOUND_MILLIS, () => this.slots.delete(id))
      return new Promise((resolve, reject) =>
        ask('close', (well) => {
          this.slots.delete(id)
          if (well) resolve()
          else reject(new Error('close'))
        }),
      )
    }
    const chances = [0.9, 0.1, 0.5]
    let draws = 0
    this.#limit = typeof settings?.limit === 'number' ? settings.limit : Infinity
    this.given = givenPool(
      { ...settings, connectTimeoutMillis: CLOSE_BOUND_MILLIS, validateAfterIdleMillis: 20, drainMillis: 50 },
      { factory, random: () => chances[draws++ % chances.length] ?? 0 },
    )
  }

  get leases(): Lease<FakeResource>[] {
    return this.callers.flatMap(({ outcome }) => outcome.value ?? [])
  }

  get held(): Lease<FakeResource>[] {
    return this.leases.filter(({ active }) => active)
  }

  async do(operation: Operation): Promise<void> {
    this.#heldBefore = this.held.length
    await this.#do(operation)
    this.wasOverloaded ||= this.given.pool.counts.overloaded
  }

  async #do(operation: Operation): Promise<void> {
    const { pool, clock, factory } = this.given
    const choose = <T>(among: readonly T[], pick: number): T | undefined => among[pick % Math.max(1, among.length)]
    switch (operation.type) {
      case 'acquire': {
        const controller = new AbortController()
        const { timeoutMillis, abortable } = operation
        const lease = pool.acquire(abortable ? { timeoutMillis, signal: controller.signal } : { timeoutMillis })
        this.callers.push({ outcome: new Outcome(lease), abort: () => controller.abort() })
        break
      }
      case 'release':
        choose(this.held, operation.pick)?.release()
        break
      case 'destroy':
        choose(this.held, operation.pick)?.destroy()
        break
      case 'release late':
        choose(
          this.leases.filter(({ active }) => !active),
          operation.pick,
        )?.release()
        break
      case 'lose':
        choose(factory.openings, operation.pick)?.lost()
        break
      case 'abort':
        choose(this.callers, operation.pick)?.abort()
        break
      case 'limit':
        this.#limit = operation.limit
        pool.limitLending(operation.limit)
        break
      case 'advance':
        await clock.advance(operation.millis)
        break
      default: {
        const kind = operation.type.slice('answer '.length) as keyof World['questions']
        const [question] = this.questions[kind].splice(operation.pick % Math.max(1, this.questions[kind].length), 1)
        question?.answer(operation.well)
      }
    }
    await settled()
  }

  check(max: number): void {
    const stats = this.given.pool.stats()
    const { total, idle, active, connecting, validating, closing, waiting } = stats
    expect(total, 'slots by the pool’s count').toBeLessThanOrEqual(max)
    expect(this.slots.size, 'slots by the server’s count').toBeLessThanOrEqual(max)
    expect(active, 'active').toBe(this.held.length)
    expect(idle + active + connecting + validating + closing, 'every slot is in one of them').toBe(total)
    expect(Math.min(idle, connecting, closing, validating), 'no count is negative').toBeGreaterThanOrEqual(0)
    expect(new Set(this.held.map(({ resource }) => resource.id)).size, 'one lease on each').toBe(active)
    expect(waiting, 'those who wait').toBe(this.callers.filter(({ outcome }) => outcome.state === 'pending').length)
    expect(active, 'leases above the limit are older than the limit').toBeLessThanOrEqual(
      Math.max(this.#limit, this.#heldBefore),
    )
    if (idle > 0 && validating === 0 && active < this.#limit)
      expect(waiting, 'no caller waits while a resource is idle').toBe(0)

    if (this.wasOverloaded) return
    const states = this.callers.map(({ outcome }) => outcome.state)
    const firstPending = states.indexOf('pending')
    const overtakers = firstPending < 0 ? [] : states.slice(firstPending).filter((state) => state === 'fulfilled')
    expect(overtakers, 'served before an earlier caller').toEqual([])
  }
}

describe('a pool under random events', () => {
  test('never exceeds max, never lends one resource twice, and settles every caller once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.array(operation, { maxLength: 80, size: 'max' }), async (settings, operations) => {
        const world = new World(settings)
        await settled()
        for (const operation of operations) {
          await world.do(operation)
          world.check(settings.max)
        }

        const drained = new Outcome(world.given.pool.drain())
        await world.given.clock.advance(10_000)
        world.check(settings.max)
        expect(drained.state).toBe('fulfilled')
        expect(world.given.pool.stats()).toMatchObject({ total: 0, waiting: 0 })
        expect(world.callers.map(({ outcome }) => outcome.settlements)).toEqual(world.callers.map(() => 1))
      }),
      { seed: 12, numRuns: 400 },
    )
  })

  test('serves every caller eventually, given a server that recovers and callers that release', async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.array(operation, { maxLength: 60, size: 'max' }), async (settings, operations) => {
        const world = new World({ ...settings, maxWaiters: Infinity })
        await settled()
        for (const operation of operations) {
          await world.do(operation.type === 'acquire' ? { ...operation, timeoutMillis: Infinity } : operation)
        }

        for (let round = 0; world.given.pool.stats().waiting > 0; round++) {
          expect(round, 'rounds until everyone was served').toBeLessThan(500)
          for (const questions of Object.values(world.questions))
            for (const { answer } of questions.splice(0)) answer(true)
          for (const lease of world.held) lease.release()
          await world.given.clock.advance(20)
        }
      }),
      { seed: 34, numRuns: 200 },
    )
  })
})
