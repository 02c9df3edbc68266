import { expect, test } from 'vitest'
import { DEFAULT_POOL_SETTINGS, Pool, runWithLabel } from '../../pool/index.ts'
import { ManualClock } from '../../pool/testing/manual-clock.ts'
import { InsightRecorder } from './insight-recorder.ts'
import { LoadingInsight } from './loading-insight.ts'
import { givenMeteredPool, MeteredConnection } from './testing/metered-pool.ts'

test('before the recorder is loaded, an insight is empty, as that of a pool without leases', () => {
  const { insight: loaded } = givenMeteredPool()
  const loading = new LoadingInsight(true)

  expect(loading.read()).toEqual(loaded.read())
  expect(loading.summary()).toEqual(loaded.summary())
  expect(loading.waste()).toEqual(loaded.waste())
})

test('a request that asked for many connections before the recorder was loaded is counted', async () => {
  const clock = new ManualClock()
  const loading = new LoadingInsight<MeteredConnection>(true)
  const recorder: InsightRecorder<MeteredConnection> = new InsightRecorder<MeteredConnection>({
    ...{ capturesStacks: true, stats: () => pool.stats(), clock },
  })
  const pool: Pool<MeteredConnection> = new Pool({
    name: 'app',
    settings: { ...DEFAULT_POOL_SETTINGS, max: 5 },
    factory: { open: async () => new MeteredConnection(recorder, clock), close: async () => {} },
    ...{ classify: () => 'unavailable', observer: loading, clock },
  })
  const acquired = runWithLabel('GET /fan-out', () => Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]))
  loading.load(recorder)
  const leases = await acquired
  await Promise.all(leases.map(({ resource }) => resource.query('select 1', 50)))
  for (const lease of leases) lease.release()

  expect(loading.read().labels).toMatchObject([{ label: 'GET /fan-out', count: 3 }])
  expect(loading.read().findings).toMatchObject([{ kind: 'parallel-checkouts', label: 'GET /fan-out' }])
})

test('before the recorder is loaded, as many callers are traced as it would trace at once', () => {
  const loading = new LoadingInsight(true)

  expect(Array.from({ length: 200 }, () => loading.asks(undefined, 0)).filter(Boolean)).toHaveLength(100)
})

test('without stacks, no caller is traced', () => {
  const loading = new LoadingInsight(false)

  expect(loading.asks(undefined, 0)).toBe(false)
  expect(loading.wantsStackOf('select 1')).toBe(false)
})
