import { describe, expect, test } from 'vitest'
import type { TrackedLease } from '../../pool/index.ts'
import { ManualClock } from '../../pool/testing/manual-clock.ts'
import type { ServerAddress } from './host-plan.ts'
import { HostWatch } from './host-watch.ts'

const SERVER: ServerAddress = { host: 'db-1', port: 5432 }

/** A pool with one connection, on which a statement runs. */
class Scene {
  readonly clock = new ManualClock()
  readonly connection = {}
  /** Whether the server answers a ping. */
  answers = true
  isUnreachable = false
  hasSuccessor = false
  connecting = 0
  pings = 0
  searches = 0
  readonly brokenOff: Error[] = []
  onBrokenOff = () => {}
  readonly lease = { resource: this.connection, quietSince: 0 } as TrackedLease<object>
  querying: TrackedLease<object>[] = [this.lease]
  readonly watch = new HostWatch<object>({
    hosts: {
      serverOf: () => SERVER,
      isUnreachable: () => this.isUnreachable,
      isCutOff: () => this.isUnreachable && this.hasSuccessor,
      onUnanswered: () => {
        this.isUnreachable = true
      },
      search: async () => void this.searches++,
    },
    engine: scenePool(this),
    driver: {
      breakOff: (_connection, error) => {
        this.brokenOff.push(error)
        this.onBrokenOff()
      },
    },
    ping: async () => {
      this.pings++
      return this.answers
    },
    clock: this.clock,
  })

  async wait(millis: number): Promise<void> {
    this.watch.watch()
    await this.clock.advance(millis)
  }
}

/** The parts of the engine that the watch reads. */
function scenePool(scene: Scene) {
  return {
    get querying() {
      return scene.querying
    },
    demand: 1,
    get counts() {
      return { connecting: scene.connecting } as never
    },
  }
}

describe('the watch over the primary', () => {
  test('pings a silent server, less and less often while it answers, and gives nothing up', async () => {
    const scene = new Scene()
    await scene.wait(60_000)
    expect(scene.pings).toBeGreaterThan(5)
    expect(scene.pings).toBeLessThan(12)
    expect([scene.searches, scene.brokenOff]).toEqual([0, []])
  })

  test('does not ping a server from which bytes come', async () => {
    const scene = new Scene()
    const talking = { resource: {}, quietSince: Infinity } as TrackedLease<object>
    scene.querying = [scene.lease, talking]
    await scene.wait(10_000)
    expect(scene.pings).toBe(0)
  })

  test('searches for another server while a silent one does not answer, and gives up its statements when there is one', async () => {
    const scene = new Scene()
    scene.answers = false
    await scene.wait(2_000)
    expect(scene.pings).toBe(1)
    expect(scene.searches).toBeGreaterThan(2)
    expect(scene.brokenOff).toEqual([])

    scene.hasSuccessor = true
    await scene.wait(250)
    expect(scene.brokenOff).toMatchObject([
      { code: 'ETIMEDOUT', message: expect.stringContaining('db-1:5432 does not') },
    ])
  })

  test('does not search while the pool itself is connecting', async () => {
    const scene = new Scene()
    scene.answers = false
    scene.connecting = 1
    await scene.wait(2_000)
    expect(scene.searches).toBe(0)
  })

  test('counts a validation as a statement', async () => {
    const scene = new Scene()
    scene.querying = []
    scene.answers = false
    scene.hasSuccessor = true
    const validation = Promise.withResolvers<boolean>()
    scene.onBrokenOff = () => validation.resolve(false)
    const validated = scene.watch.validate(scene.connection, () => validation.promise)
    await scene.wait(2_000)
    expect(scene.brokenOff).toHaveLength(1)
    expect(await validated).toBe(false)
  })

  test('ends when it is stopped', async () => {
    const scene = new Scene()
    scene.watch.watch()
    scene.watch.stop()
    await scene.clock.advance(10_000)
    expect(scene.pings).toBe(0)
  })
})
