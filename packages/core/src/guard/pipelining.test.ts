import { expect, test } from 'vitest'
import { DEFAULT_POOL_SETTINGS, Pool } from '../pool/index.ts'
import { resolveSettings } from '../settings/index.ts'
import { Pipelining } from './pipelining.ts'

/** A pool with one connection whose server is PostgreSQL. */
function givenPipelining() {
  const options = { pool: { max: 1, pipeline: 'reads' } } as const
  const settings = resolveSettings({
    options,
    topology: { kind: 'direct', preparedStatements: 'safe', server: { version: null }, evidence: [] },
  })
  const engine = new Pool<object>({
    name: 'orders',
    settings: { ...DEFAULT_POOL_SETTINGS, ...options.pool },
    factory: { open: async () => ({}), close: async () => {} },
    classify: () => 'unavailable',
  })
  const acquire = () => engine.acquire()
  const pipelining = new Pipelining({ engine, acquire, settings, onBehind: () => {}, onStall: () => {} })
  pipelining.attach({ onOpen: () => {}, onClose: (lease) => lease.release() })
  return { pipelining, engine, settings }
}

test('no statement shares a connection before the server has been detected', async () => {
  const { pipelining, engine } = givenPipelining()
  await engine.acquire()
  expect(engine.isExhausted(undefined)).toBe(true)
  expect(pipelining.mayShare()).toBe(false)
})

test('statements may share connections from the first one on that finds none, until many in a row have found one', async () => {
  const { pipelining, engine, settings } = givenPipelining()
  pipelining.update(settings)
  expect(pipelining.mayShare()).toBe(false)
  const lease = await engine.acquire()
  expect(pipelining.mayShare()).toBe(true)
  lease.release()
  expect(engine.isExhausted(undefined)).toBe(false)
  let shared = 0
  while (pipelining.mayShare()) shared++
  expect(shared).toBeGreaterThan(100)
  expect(pipelining.mayShare()).toBe(false)
})
