import { asyncContextIsCheap } from '@poolguard/core/adapter'
import { expect, test } from 'vitest'
import type { PoolguardFastifyOptions } from './plugin-options.ts'
import { readSettings } from './plugin-settings.ts'

test('given no options, then only the probes are on', () => {
  expect(readSettings({})).toEqual({
    paths: { health: '/healthz', ready: '/readyz', metrics: undefined, admin: undefined },
    metricsSources: [],
    adminTokens: [],
    details: false,
    deadlines: asyncContextIsCheap,
    labels: asyncContextIsCheap,
    mapErrors: true,
    closeOnShutdown: false,
    closeDelayMillis: 0,
    shedLoad: undefined,
  })
})

test('given true, then routes have their default paths', () => {
  const options = { health: true, ready: true, metrics: true, admin: true, adminToken: 'secret' }
  expect(readSettings(options).paths).toEqual({
    health: '/healthz',
    ready: '/readyz',
    metrics: '/metrics',
    admin: '/admin/db-pool-stats',
  })
})

test('given a name, then routes, labels and error mapping are off', () => {
  const none = { health: undefined, ready: undefined, metrics: undefined, admin: undefined }
  expect(readSettings({ name: 'orders' })).toMatchObject({
    paths: none,
    labels: false,
    deadlines: false,
    mapErrors: false,
  })
  const asked = readSettings({ name: 'orders', ready: '/orders/readyz', labels: true, mapErrors: true })
  expect(asked).toMatchObject({ paths: { ready: '/orders/readyz' }, labels: true, mapErrors: true })
})

test('given metrics sources, then the page has the default path or its own', () => {
  const sources = [{ source: 'db:5432/app', read: async () => [] }]
  expect(readSettings({ metrics: { sources } })).toMatchObject({
    paths: { metrics: '/metrics' },
    metricsSources: sources,
  })
  expect(readSettings({ metrics: { sources, path: '/m' } }).paths.metrics).toBe('/m')
})

test('given load shedding, then it is by overload unless a number of waiters is given', () => {
  expect(readSettings({}).shedLoad).toBeUndefined()
  expect(readSettings({ shedLoad: false }).shedLoad).toBeUndefined()
  expect(readSettings({ shedLoad: true }).shedLoad).toEqual({})
  const both = { waiters: 5, retryAfterSeconds: 9 }
  expect(readSettings({ shedLoad: both }).shedLoad).toEqual(both)
})

test.each<[option: string, options: object]>([
  ['name', { name: '' }],
  ['name', { name: 7 }],
  ['health', { health: 'healthz' }],
  ['ready', { ready: 1 }],
  ['metrics', { metrics: null }],
  ['metrics', { metrics: 7 }],
  ['metrics.path', { metrics: { path: 'metrics' } }],
  ['metrics.sources', { metrics: { sources: 'postgresql://db/app' } }],
  ['metrics.sources[0]', { metrics: { sources: ['postgresql://db/app'] } }],
  ['admin', { admin: {} }],
  ['ready', { health: '/up', ready: '/up' }],
  ['adminToken', { admin: true }],
  ['adminToken', { admin: '/pools', adminToken: undefined }],
  ['adminToken', { adminToken: '' }],
  ['adminToken', { adminToken: 7 }],
  ['adminToken', { admin: true, adminToken: [] }],
  ['adminToken', { adminToken: 'secret\n' }],
  ['adminToken[0]', { adminToken: ['secret word'] }],
  ['adminToken[1]', { adminToken: ['secret', ' '] }],
  ['details', { details: 'yes' }],
  ['labels', { labels: 1 }],
  ['deadlines', { deadlines: 500 }],
  ['mapErrors', { mapErrors: null }],
  ['closeOnShutdown', { closeOnShutdown: 'true' }],
  ['closeDelayMillis', { closeDelayMillis: '5s' }],
  ['closeDelayMillis', { closeDelayMillis: Infinity }],
  ['shedLoad', { shedLoad: 50 }],
  ['shedLoad', { shedLoad: null }],
  ['shedLoad.waiters', { shedLoad: { waiters: -1 } }],
  ['shedLoad.retryAfterSeconds', { shedLoad: { waiters: 1, retryAfterSeconds: 0.5 } }],
])('given a wrong %s, then the error names it: %o', (option, options) => {
  const error = failureOf(() => readSettings(options as PoolguardFastifyOptions))
  expect(error).toMatchObject({ code: 'POOLGUARD_INVALID_OPTION', option })
  expect(String(error)).not.toContain('secret')
})

function failureOf(callback: () => unknown): unknown {
  try {
    return callback()
  } catch (error) {
    return error
  }
}
