import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runInLane, withDeadlockDetection } from './caller-context.ts'
import { AcquireTimeoutError, PoolSaturatedError } from './errors.ts'
import type { LanesOptions } from './lane-settings.ts'
import type { Lease } from './lease.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool, type PoolUnderTest } from './testing/pool-under-test.ts'

type Caller = Outcome<Lease<FakeResource>>

interface LanesUnderTest extends PoolUnderTest {
  /** A caller in a lane. */
  join(lane?: string, timeoutMillis?: number): Caller
  /** Several of them. */
  joinMany(lane: string, count: number): Promise<Caller[]>
}

function givenLanes(lanes: LanesOptions, settings: Partial<PoolSettings> = {}): LanesUnderTest {
  const given = givenPool({ validateAfterIdleMillis: Infinity, maxWaiters: Infinity, ...settings }, { lanes })
  const join = (lane?: string, timeoutMillis?: number) => new Outcome(given.pool.acquire({ lane, timeoutMillis }))
  return {
    ...given,
    join,
    joinMany: async (lane, count) => {
      const callers = Array.from({ length: count }, () => join(lane))
      await settled()
      return callers
    },
  }
}

function served(callers: readonly Caller[]): number {
  return callers.filter(({ state }) => state === 'fulfilled').length
}

async function release(caller: Caller | undefined): Promise<void> {
  caller?.value?.release()
  await settled()
}

describe('a lane', () => {
  test('gets no more connections than its max, and none beyond it is opened', async () => {
    const { joinMany, factory } = givenLanes({ jobs: { max: '50%' } }, { max: 4 })
    const jobs = await joinMany('jobs', 10)

    expect(served(jobs)).toBe(2)
    expect(factory.openings).toHaveLength(2)
  })

  test('leaves the reserve of another lane free, which gets it immediately', async () => {
    const { join, joinMany } = givenLanes({ web: { reserve: 2 }, jobs: {} }, { max: 5 })
    const jobs = await joinMany('jobs', 10)
    expect(served(jobs)).toBe(3)
    const web = [join('web'), join('web'), join('web')]
    await settled()

    expect(served(web)).toBe(2)
  })

  test('borrows connections that no other lane uses or has reserved', async () => {
    const { joinMany } = givenLanes({ web: {}, jobs: {} }, { max: 5 })
    expect(served(await joinMany('jobs', 10))).toBe(5)
  })

  test('has its own line: a flood of one does not hold up the other', async () => {
    const { join, joinMany } = givenLanes({ web: {}, jobs: {} }, { max: 3 })
    const jobs = await joinMany('jobs', 100)
    const web = join('web')
    await release(jobs[0])

    expect(web.state).toBe('fulfilled')
  })

  test('rejects its own callers beyond maxWaiters, and no others', async () => {
    const { join, joinMany } = givenLanes({ web: { reserve: 1 }, jobs: {} }, { max: 3, maxWaiters: 4 })
    const jobs = await joinMany('jobs', 10)
    const web = join('web')
    await settled()

    expect(jobs.map(({ state }) => state)).toEqual([
      ...['fulfilled', 'fulfilled', 'pending', 'pending', 'pending', 'pending'],
      ...['rejected', 'rejected', 'rejected', 'rejected'],
    ])
    expect(jobs.at(-1)?.error).toBeInstanceOf(PoolSaturatedError)
    expect(web.state).toBe('fulfilled')
  })

  test('measures how long its own callers waited', async () => {
    const { pool, clock, join, joinMany } = givenLanes({ web: {}, jobs: {} }, { max: 1 })
    await clock.advance(1_000)
    const [job] = await joinMany('jobs', 1)
    const web = join('web')
    await clock.advance(30)
    await release(job)

    expect(web.state).toBe('fulfilled')
    expect(pool.stats().lanes).toMatchObject({
      web: { wait: { count: 1, sumMillis: 30 } },
      jobs: { wait: { count: 1, sumMillis: 0 } },
      default: { wait: { count: 0 } },
    })
  })

  test('is overloaded alone', async () => {
    const { pool, clock, join, joinMany } = givenLanes({ web: {}, jobs: {} }, { max: 2 })
    const jobs = await joinMany('jobs', 20)
    for (const job of jobs.slice(0, 2)) {
      await clock.advance(60)
      await release(job)
    }
    await clock.advance(80)
    join('web')

    expect(pool.counts).toMatchObject({
      overloaded: true,
      lanes: { jobs: { overloaded: true, waiting: 16 }, web: { overloaded: false, waiting: 1 } },
    })
  })

  test('is that of runInLane; a caller without one is in the lane default', async () => {
    const { pool, events } = givenLanes({ web: {} }, { max: 5 })
    await runInLane('web', () => pool.acquire())
    await pool.acquire()
    await runInLane('web', () => pool.acquire({ lane: 'default' }))

    expect(pool.stats().lanes).toMatchObject({ web: { active: 1 }, default: { active: 2 } })
    expect(events.filter(({ type }) => type === 'warning')).toEqual([])
  })

  test('that does not exist is an error if an option names it, and else a warning', async () => {
    const { pool, join, events } = givenLanes({ web: {} })
    const misspelt = join('wep')
    await settled()
    expect(misspelt.error).toMatchObject({
      message: `Invalid option lane: 'wep'. It takes one of the pool's lanes: web, default.`,
    })
    await runInLane('wep', () => pool.acquire())
    await runInLane('wep', () => pool.acquire())

    expect(pool.stats().lanes).toMatchObject({ default: { active: 2 } })
    expect(events.flatMap((event) => (event.type === 'warning' ? event.message : []))).toEqual([
      'runInLane: the pool has no lane "wep", so its callers belong to the lane "default". The lanes are web, default.',
    ])
  })

  test('does not concern a pool without lanes, except if an option names one', async () => {
    const { pool, events } = givenPool()
    await runInLane('web', () => pool.acquire())
    expect(events.filter(({ type }) => type === 'warning')).toEqual([])
    const named = new Outcome(pool.acquire({ lane: 'web' }))
    await settled()

    expect(pool.stats().lanes).toBeUndefined()
    expect(named.error).toMatchObject({
      message: "Invalid option lane: 'web'. It takes no value: the pool has no lanes (option lanes).",
    })
  })

  test.each(['', 'a b', 7])('cannot have the name %j', (name) => {
    expect(() => runInLane(name as string, () => {})).toThrow('It takes the name of a lane')
  })

  test('follows the pool when it is resized, and every lane is still served with one connection', async () => {
    const { pool, join, joinMany } = givenLanes({ web: { reserve: 2 }, jobs: { max: '50%', reserve: 1 } }, { max: 8 })
    const jobs = await joinMany('jobs', 6)
    expect(served(jobs)).toBe(4)
    pool.resize({ max: 1 })
    for (const job of jobs.slice(0, 4)) await release(job)
    expect(pool.stats().lanes).toMatchObject({ web: { max: 1, reserve: 0 }, jobs: { max: 1, reserve: 0 } })
    const others = [join('web'), join()]
    const all = [...jobs.slice(4), ...others]
    for (let i = 0; i < all.length; i++) await release(all.find(({ value }) => value?.active))

    expect(served(all)).toBe(all.length)
  })

  test('counts for the demand of a fleet as far as more connections would help', async () => {
    const { pool, joinMany } = givenLanes({ jobs: { max: 2 }, reports: { max: '50%' } }, { max: 4 })
    await joinMany('jobs', 10)
    await joinMany('reports', 10)

    expect(pool.demand).toBe(2 + 10)
  })
})

describe('turns', () => {
  /** The lanes of the callers that get a connection, one after the other. */
  async function turns(given: LanesUnderTest, count: number, join: () => Promise<Record<string, Caller[]>>) {
    const [holder] = await given.joinMany('default', 1)
    const waiting = await join()
    const served: string[] = []
    let current = holder
    for (let i = 0; i < count; i++) {
      await release(current)
      for (const [lane, callers] of Object.entries(waiting)) {
        const next = callers.find(({ value }) => value?.active)
        if (!next) continue
        served.push(lane)
        current = next
      }
    }
    return served
  }

  test('are divided by priority, and none is late', async () => {
    const given = givenLanes({ web: { priority: 3 }, jobs: {} }, { max: 1 })
    const order = await turns(given, 12, async () => ({
      web: await given.joinMany('web', 12),
      jobs: await given.joinMany('jobs', 12),
    }))

    expect(order.filter((lane) => lane === 'web')).toHaveLength(9)
    for (const at of [0, 4, 8]) expect(order.slice(at, at + 4)).toContain('jobs')
  })

  test('alternate between lanes of the same priority, and a lane that had no callers has none to catch up on', async () => {
    const given = givenLanes({ web: {}, jobs: {} }, { max: 1 })
    const jobs = await turns(given, 20, async () => ({ jobs: await given.joinMany('jobs', 20) }))
    expect(jobs).toHaveLength(20)
    given.pool.resize({ max: 2 })
    const order = await turns(given, 8, async () => ({
      web: await given.joinMany('web', 8),
      jobs: await given.joinMany('jobs', 8),
    }))

    expect(order.filter((lane) => lane === 'web').length).toBeLessThanOrEqual(5)
  })

  test('of a lane below its reserve come first', async () => {
    const given = givenLanes({ web: { priority: 100 }, jobs: { reserve: 1 } }, { max: 3 })
    given.factory.onOpen = () => {}
    const web = await given.joinMany('web', 3)
    const jobs = await given.joinMany('jobs', 2)
    const order: [web: number, jobs: number][] = []
    for (const id of [0, 1, 2]) {
      given.factory.opening(id).succeed()
      await settled()
      order.push([served(web), served(jobs)])
    }

    expect(order).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
  })
})

describe('what a driver reads to share a connection', () => {
  test('is the lane of the call, and whether there is one of that name', async () => {
    const { pool } = givenLanes({ web: {} }, { max: 5 })
    expect(pool.currentLane).toBe('default')
    expect(runInLane('web', () => pool.currentLane)).toBe('web')
    expect(['web', 'default', undefined, 'wep'].map((lane) => pool.hasLane(lane))).toEqual([true, true, true, false])

    const { pool: without } = givenPool()
    expect(runInLane('web', () => without.currentLane)).toBeUndefined()
    expect([undefined, 'web'].map((lane) => without.hasLane(lane))).toEqual([true, false])
  })

  test('is how many callers of a lane wait for no connection that is being opened', async () => {
    const { pool, factory, joinMany } = givenLanes({ web: {}, jobs: {} }, { max: 2 })
    factory.onOpen = () => {}
    await joinMany('jobs', 5)
    await joinMany('web', 1)

    expect(pool.queued).toBe(6 - 2)
    expect([pool.queuedIn('jobs'), pool.queuedIn('web'), pool.queuedIn(undefined)]).toEqual([3, 0, 0])
  })

  test('is since when a caller of the lane waits', async () => {
    const { pool, clock, joinMany } = givenLanes({ web: {}, jobs: {} }, { max: 1 })
    await joinMany('jobs', 1)
    await clock.advance(30)
    await joinMany('jobs', 1)
    await clock.advance(20)
    await joinMany('jobs', 1)

    expect([pool.exclusiveSince('jobs'), pool.exclusiveSince('web')]).toEqual([30, Infinity])
  })

  test('is whether a caller of the lane would have to wait', async () => {
    const { pool, joinMany } = givenLanes({ web: { reserve: 1 }, jobs: { max: 1 } }, { max: 3 })
    await joinMany('jobs', 1)
    expect([pool.isExhausted('jobs'), pool.isExhausted('web'), pool.isExhausted(undefined)]).toEqual([
      true,
      false,
      false,
    ])
    await joinMany('default', 1)
    expect([pool.isExhausted('web'), pool.isExhausted(undefined)]).toEqual([false, true])
  })
})

describe('waits of the pool itself', () => {
  test('are limited by no lane', async () => {
    const { pool, joinMany } = givenLanes({ default: { max: 1 }, web: { reserve: 2 } }, { max: 3 })
    const callers = await joinMany('default', 5)
    expect(served(callers)).toBe(1)
    const internal = new Outcome(pool.acquire({ internal: 'queued' }))
    await settled()

    expect(internal.state).toBe('fulfilled')
  })

  test('go ahead of all lanes', async () => {
    const { pool, joinMany } = givenLanes({ web: {} }, { max: 1 })
    const callers = await joinMany('web', 3)
    const internal = new Outcome(pool.acquire({ internal: 'first' }))
    await release(callers[0])

    expect([internal.state, served(callers)]).toEqual(['fulfilled', 1])
  })
})

describe('a caller that waits for a connection while it holds one', () => {
  /** Transactions of which each has a connection in one lane and waits for another connection in a lane. */
  async function nest(
    given: LanesUnderTest,
    ...lanes: (readonly [held: string, awaited: string])[]
  ): Promise<Caller[]> {
    const allHold = Promise.withResolvers<void>()
    const transactions = lanes.map(([held, awaited]) =>
      withDeadlockDetection(async () => {
        await given.pool.acquire({ lane: held })
        await allHold.promise
        return given.join(awaited)
      }),
    )
    await settled()
    allHold.resolve()
    return Promise.all(transactions)
  }

  function deadlocks({ events }: LanesUnderTest): (string | undefined)[] {
    return events.flatMap((event) => (event.type === 'deadlock' ? event.lane : []))
  }

  function messageOf(caller: Caller | undefined): string {
    return caller?.error instanceof AcquireTimeoutError ? caller.error.message : 'no timeout'
  }

  test("is reported if its own lane's limit keeps it from the other one, although the pool has connections", async () => {
    const given = givenLanes({ jobs: { max: 2 } }, { max: 10, acquireTimeoutMillis: 5_000 })
    const nested = await nest(given, ['jobs', 'jobs'], ['jobs', 'jobs'])
    await given.clock.advance(2_000)
    expect(deadlocks(given)).toEqual(['jobs'])
    expect(given.pool.stats().lanes).toMatchObject({ jobs: { deadlocked: true }, default: { deadlocked: false } })
    await given.clock.advance(5_000)

    expect(messageOf(nested[0])).toMatch(
      /lane "jobs": 2 of 2 active, 2 waiting\. Every caller that could release a connection for lane "jobs" waits for another one: .* or raise lanes\.jobs\.max,/,
    )
  })

  test('is reported if the reserve of another lane keeps it from the other one', async () => {
    const given = givenLanes({ web: { reserve: 1 }, jobs: {} }, { max: 3, acquireTimeoutMillis: 5_000 })
    // Its release would not help: the connection stays reserved.
    await given.pool.acquire({ lane: 'web' })
    const nested = await nest(given, ['jobs', 'jobs'], ['jobs', 'jobs'])
    await given.clock.advance(2_000)
    expect(deadlocks(given)).toEqual(['jobs'])
    await given.clock.advance(5_000)

    expect(messageOf(nested[0])).toMatch(
      /Every caller that could release a connection for lane "jobs" waits .* or raise max,/,
    )
  })

  test('is not reported if a caller of another lane can release the connection that it lacks', async () => {
    const given = givenLanes({ web: {}, jobs: {} }, { max: 3 })
    await given.pool.acquire({ lane: 'web' })
    await nest(given, ['jobs', 'jobs'], ['jobs', 'jobs'])
    await given.clock.advance(2_000)

    expect(deadlocks(given)).toEqual([])
  })

  test('in two lanes that wait for each other is reported in both', async () => {
    const given = givenLanes({ a: { max: 1 }, b: { max: 1 } }, { max: 5 })
    await nest(given, ['a', 'b'], ['b', 'a'])
    await given.clock.advance(2_000)

    expect(deadlocks(given)).toEqual(['a', 'b'])
  })
})

describe('the error of a caller that waited in vain', () => {
  test('names what kept its lane from a free connection', async () => {
    const { clock, joinMany, join } = givenLanes({ jobs: { max: 2 }, web: { reserve: 2 } }, { max: 5 })
    await joinMany('jobs', 2)
    const full = join('jobs', 100)
    await joinMany('default', 1)
    const unreserved = join('default', 100)
    await clock.advance(200)

    expect((full.error as Error).message).toMatch(
      /3 of 5 active.*; lane "jobs": 2 of 2 active, 1 waiting\. Lane "jobs" uses all 2 connections that it may use: .* or raise lanes\.jobs\.max\.$/,
    )
    expect((unreserved.error as Error).message).toMatch(
      /Lane "default" would need connections that are reserved for other lanes: .* or lower the reserves of the other lanes\.$/,
    )
  })
})

const laneNames = ['web', 'jobs', 'default'] as const
const share = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom('20%' as const, '50%' as const, '100%' as const))
const lanesOptions = fc.dictionary(
  fc.constantFrom(...laneNames),
  fc.record({ max: share, reserve: share, priority: fc.constantFrom(0.5, 1, 4) }, { requiredKeys: [] }),
)
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('acquire' as const), lane: fc.constantFrom(...laneNames) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('release', 'destroy'), pick: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resize' as const), max: fc.integer({ min: 1, max: 6 }) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** The callers of a pool with lanes, with the order in which they were served. */
class LanesWorld {
  readonly given: LanesUnderTest
  readonly callers: { readonly lane: string; readonly outcome: Caller }[] = []
  #before: Record<string, number> = {}

  constructor(lanes: LanesOptions, max: number) {
    this.given = givenLanes(lanes, { max })
  }

  get held(): Lease<FakeResource>[] {
    return this.callers.flatMap(({ outcome }) => (outcome.value?.active ? [outcome.value] : []))
  }

  async do(operation: Operation): Promise<void> {
    const { held } = this
    if (operation.type === 'acquire')
      this.callers.push({ lane: operation.lane, outcome: this.given.join(operation.lane, Infinity) })
    else if (operation.type === 'resize') this.given.pool.resize({ max: operation.max })
    else if (operation.type === 'release') held[operation.pick % Math.max(1, held.length)]?.release()
    else held[operation.pick % Math.max(1, held.length)]?.destroy()
    await settled()
  }

  check(): void {
    const { max, active, lanes = {} } = this.given.pool.stats()
    const taken = Object.values(lanes).reduce((sum, lane) => sum + Math.max(lane.active, lane.reserve), 0)
    for (const [name, lane] of Object.entries(lanes)) {
      const own = this.callers.filter((caller) => caller.lane === name)
      const states = own.map(({ outcome }) => outcome.state)
      expect(lane.active, 'active').toBe(own.filter(({ outcome }) => outcome.value?.active).length)
      expect(lane.active, 'no more than its max, except for what it had').toBeLessThanOrEqual(
        Math.max(lane.max, this.#before[name] ?? 0),
      )
      expect(states.lastIndexOf('fulfilled'), 'first in, first out').toBeLessThan(
        states.includes('pending') ? states.indexOf('pending') : Infinity,
      )
      const waits = states.includes('pending')
      if (waits && lane.active < lane.reserve) expect(active, 'its reserve, if one is free').toBeGreaterThanOrEqual(max)
      if (waits && lane.active < lane.max) expect(taken, 'what no lane uses or reserves').toBeGreaterThanOrEqual(max)
      this.#before[name] = lane.active
    }
  }
}

describe('a pool with lanes under random events', () => {
  test('keeps every max and every reserve, lends what is idle, serves each lane in order, and drains', async () => {
    await fc.assert(
      fc.asyncProperty(
        lanesOptions,
        fc.integer({ min: 1, max: 6 }),
        fc.array(operation, { maxLength: 60, size: 'max' }),
        async (lanes, max, operations) => {
          const world = new LanesWorld(lanes, max)
          for (const each of operations) {
            await world.do(each)
            world.check()
          }
          const drained = new Outcome(world.given.pool.drain())
          for (let round = 0; world.held.length > 0; round++) {
            expect(round, 'rounds until every caller was served').toBeLessThan(100)
            for (const lease of world.held) lease.release()
            await settled()
          }
          await world.given.clock.advance(1)

          expect(new Set(world.callers.map(({ outcome }) => outcome.state)).has('pending')).toBe(false)
          expect(drained.state).toBe('fulfilled')
        },
      ),
      { seed: 22, numRuns: 300 },
    )
  })

  test('starves no lane: with callers in all of them, turns are divided by priority', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })),
        async (max, [web, jobs]) => {
          const { joinMany } = givenLanes({ web: { priority: web }, jobs: { priority: jobs } }, { max })
          const callers = { web: await joinMany('web', 200), jobs: await joinMany('jobs', 200) }
          const first = served(callers.web)
          const turns = 100
          for (let i = 0; i < turns; i++)
            await release([...callers.web, ...callers.jobs].find(({ value }) => value?.active))

          const share = (served(callers.web) - first) / turns
          expect(share).toBeCloseTo(web / (web + jobs), 1)
        },
      ),
      { seed: 22, numRuns: 20 },
    )
  })
})
