import { DEFAULT_POOL_SETTINGS, type LanesOptions, type Lease, Pool } from '../../../pool/index.ts'
import { ManualClock } from '../../../pool/testing/manual-clock.ts'
import { InsightRecorder } from '../insight-recorder.ts'
import { LoadingInsight } from '../loading-insight.ts'
import { LoopDelay } from '../loop-delay.ts'
import type { MeteredSession, SessionMeter } from '../session-meter.ts'

/** A connection without a server, as drivers have them. */
export class MeteredConnection implements MeteredSession {
  readonly meter: SessionMeter
  readonly #clock: ManualClock
  runningText: string | null = null
  #inTransaction = false

  constructor(insight: InsightRecorder<MeteredConnection>, clock: ManualClock) {
    this.meter = insight.newMeter(this)
    this.#clock = clock
  }

  /** Runs a statement that takes this long on the server. */
  async query(text: string, millis = 1): Promise<void> {
    this.meter.call(text, this.query)
    this.runningText = text
    this.meter.sent()
    await this.#clock.advance(millis)
    if (/^(begin|commit)/.test(text)) this.#inTransaction = text.startsWith('begin')
    this.meter.answered(this.#inTransaction)
  }
}

export interface MeteredPool {
  readonly pool: Pool<MeteredConnection>
  readonly insight: InsightRecorder<MeteredConnection>
  readonly clock: ManualClock
  /** Blocks the event loop. */
  block(millis: number): void
  /** Runs a callback with a lease. */
  use(callback: (connection: MeteredConnection, lease: Lease<MeteredConnection>) => Promise<void>): Promise<void>
}

/** A pool on a manual clock whose time is measured, from the first connection on. */
export function givenMeteredPool(max = 5, lanes?: LanesOptions): MeteredPool {
  const clock = new ManualClock()
  let check = () => {}
  const delay = new LoopDelay(
    () => clock.now(),
    (millis, callback) => {
      let stopped = false
      check = callback
      const again = () => {
        if (stopped) return
        callback()
        clock.after(millis, again)
      }
      clock.after(millis, again)
      return () => {
        stopped = true
      }
    },
  )
  const insight: InsightRecorder<MeteredConnection> = new InsightRecorder<MeteredConnection>({
    capturesStacks: true,
    stats: () => pool.stats(),
    clock,
    delay,
  })
  const loading = new LoadingInsight<MeteredConnection>(true)
  let isLoaded = false
  const open = async () => {
    if (!isLoaded) loading.load(insight)
    isLoaded = true
    return new MeteredConnection(insight, clock)
  }
  const pool: Pool<MeteredConnection> = new Pool({
    name: 'app',
    settings: { ...DEFAULT_POOL_SETTINGS, max },
    factory: { open, close: async () => {} },
    classify: () => 'unavailable',
    observer: loading,
    lanes,
    clock,
  })
  return {
    pool,
    insight,
    clock,
    block(millis) {
      clock.skip(millis)
      check()
    },
    async use(callback) {
      const lease = await pool.acquire()
      try {
        await callback(lease.resource, lease)
      } finally {
        lease.release()
      }
    },
  }
}
