import { describe, expect, test } from 'vitest'
import { SimulatedClock, seededRandom } from '../../fleet/testing/simulated-clock.ts'
import { ConnectError, type Lease } from '../../pool/index.ts'
import type { RoutedPool } from './replica-endpoint.ts'
import { ReplicaSet } from './replica-set.ts'

const MAX_LAG_MILLIS = 1_000
/** Four intervals, after which knowledge does not count, and the time in which a server must answer. */
const DETECTION_MILLIS = 4 * (MAX_LAG_MILLIS / 4) + 3_000 + 200
const KINDS = ['healthy', 'healthy', 'slow', 'stuck', 'refuses', 'hangs', 'promoted'] as const

type Kind = (typeof KINDS)[number]

interface Connection {
  readonly server: Server
}

/** When each commit was made; its position is its index. */
type Log = number[]

/** A server whose answers take time, and which replays what the primary has committed. */
class Server {
  kind: Kind = 'healthy'
  /** Since when it must not be used; undefined while it may be. */
  badSince: number | undefined
  replayed = 0
  readonly name: string
  readonly #isPrimary: boolean
  readonly #clock: SimulatedClock
  readonly #random: () => number
  readonly #log: Log

  constructor(name: string, { clock, random, log }: { clock: SimulatedClock; random: () => number; log: Log }) {
    this.name = name
    this.#isPrimary = name === 'primary'
    this.#clock = clock
    this.#random = random
    this.#log = log
  }

  /** Replays, and notes since when it is unfit. */
  tick(): void {
    const now = this.#clock.now()
    if (this.kind === 'promoted' || this.kind === 'stuck') this.replayed += 0
    else if (this.#isPrimary) this.replayed = this.#log.length
    else {
      const delay = this.kind === 'slow' ? 3 * MAX_LAG_MILLIS : 50
      while (this.replayed < this.#log.length && (this.#log[this.replayed] as number) + delay <= now) this.replayed++
    }
    const missing = this.#log[this.replayed]
    const isLate = missing !== undefined && now - missing > MAX_LAG_MILLIS
    const isBad = isLate || this.kind === 'refuses' || this.kind === 'hangs' || this.kind === 'promoted'
    this.badSince = isBad ? (this.badSince ?? now) : undefined
  }

  async answer(): Promise<string> {
    await this.#clock.sleep(this.#random() * 20)
    if (this.kind === 'hangs') return await new Promise(() => {})
    if (this.kind === 'refuses') throw new Error('the connection is lost')
    this.tick()
    const recovers = this.#isPrimary || this.kind === 'promoted' ? 'f' : 't'
    const answer = `${recovers} 0/${this.replayed.toString(16)} 1 7 -`
    await this.#clock.sleep(this.#random() * 20)
    return answer
  }

  get pool(): RoutedPool<Connection> {
    const acquire = async (): Promise<Lease<Connection>> => {
      await this.#clock.sleep(this.#random() * 5)
      if (this.kind === 'refuses') throw new ConnectError(this.name, new Error('refused'))
      const lease = { resource: { server: this }, active: true, release: () => {}, destroy: () => {} }
      lease.release = lease.destroy = () => {
        lease.active = false
      }
      return lease as unknown as Lease<Connection>
    }
    return {
      ...{ name: this.name, target: this.name, topology: { kind: 'direct' } as RoutedPool<Connection>['topology'] },
      engine: {
        acquire,
        counts: { active: 0, max: 10, waiting: 0 },
        settings: { connectTimeoutMillis: 5_000 },
      } as unknown as RoutedPool<Connection>['engine'],
      acquireOwn: acquire,
      queryValue: ({ server }) => server.answer(),
    }
  }
}

/** @param writes by this process, so that its reads must see them, or by others. */
async function simulate(seed: number, writes: 'own' | 'foreign') {
  const [clock, random, log]: [SimulatedClock, () => number, Log] = [new SimulatedClock(), seededRandom(seed), []]
  const world = { clock, random, log }
  const primary = new Server('primary', world)
  const replicas = ['one', 'two'].map((name) => new Server(name, world))
  const set = new ReplicaSet<Connection>({
    primary: primary.pool,
    replicas: replicas.map(({ pool }) => pool),
    policy: { maxLagMillis: MAX_LAG_MILLIS, ownWritesMillis: 200, rejects: false } as never,
    warn: () => {},
    clock,
  })
  const seen = { stale: 0, unfit: [] as string[], reads: 0, onReplicas: 0 }
  const write = async () => {
    const lease = writes === 'own' ? await set.acquireForWrite(undefined) : undefined
    await clock.sleep(random() * 10)
    log.push(clock.now())
    lease?.release()
  }
  const read = async () => {
    const written = writes === 'own' ? log.length : 0
    const lease = await set.acquireForRead(undefined)
    const { server } = lease.resource
    server.tick()
    seen.reads++
    if (server !== primary) seen.onReplicas++
    if (server !== primary && server.replayed < written) seen.stale++
    const badMillis = server.badSince === undefined ? 0 : clock.now() - server.badSince
    if (badMillis > DETECTION_MILLIS) seen.unfit.push(`${server.name} ${server.kind} for ${Math.round(badMillis)} ms`)
    lease.release()
  }
  /** Reads and writes for a while; now and then, the app rests for longer than the monitor runs. */
  const work = async (millis: number) => {
    for (const until = clock.now() + millis; clock.now() < until; ) {
      if (random() < 0.1) void write()
      void read()
      await clock.advance(random() < 0.005 ? 15_000 : random() * 60, () => {
        for (const server of replicas) server.tick()
      })
    }
  }
  await work(3_000)
  for (let change = 0; change < 8; change++) {
    for (const server of replicas) {
      // A promoted server has left the cluster.
      if (server.kind !== 'promoted') server.kind = KINDS[Math.floor(random() * KINDS.length)] as Kind
    }
    await work(2_000 + random() * 8_000)
  }
  for (const server of replicas) if (server.kind !== 'promoted') server.kind = 'healthy'
  await work(8_000)
  await clock.advance(500)
  const states = set.snapshot().replicas.map(({ state }) => state)
  set.stop()
  return { ...seen, states, expected: replicas.map(({ kind }) => (kind === 'promoted' ? 'promoted' : 'usable')) }
}

describe('a simulated primary with two replicas that lag, hang, refuse, and are promoted', () => {
  const seeds = Array.from({ length: 20 }, (_, seed) => seed)
  test.each(seeds.flatMap((seed) => [[seed, 'own'] as const, [seed, 'foreign'] as const]))(
    'seed %i, %s writes',
    async (seed, writes) => {
      const { stale, unfit, reads, onReplicas, states, expected } = await simulate(seed, writes)

      expect(stale).toBe(0)
      expect(unfit).toEqual([])
      expect(states).toEqual(expected)
      expect(reads).toBeGreaterThan(500)
      expect(onReplicas).toBeGreaterThan(0)
    },
  )
})
