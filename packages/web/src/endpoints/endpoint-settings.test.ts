import { expect, test } from 'vitest'
import type { EndpointOptions } from './endpoint-options.ts'
import { readEndpointSettings } from './endpoint-settings.ts'

test('given no options, then only the probes are on', () => {
  expect(readEndpointSettings({})).toEqual({
    paths: { health: '/healthz', ready: '/readyz', metrics: undefined, admin: undefined, page: undefined },
    metricsSources: [],
    pageSources: [],
    pageActions: false,
    adminTokens: [],
    details: false,
  })
})

test('given true, then endpoints have their default paths', () => {
  const options = { health: true, ready: true, metrics: true, admin: true, page: true, adminToken: 'secret' }
  expect(readEndpointSettings(options).paths).toEqual({
    health: '/healthz',
    ready: '/readyz',
    metrics: '/metrics',
    admin: '/admin/db-pool-stats',
    page: '/admin/poolguard',
  })
})

test('given no probes by default, then they are off unless they are set', () => {
  expect(readEndpointSettings({}, false).paths).toMatchObject({ health: undefined, ready: undefined })
  expect(readEndpointSettings({ ready: '/orders/readyz' }, false).paths).toMatchObject({ ready: '/orders/readyz' })
})

test('given metrics sources, then the page has the default path or its own', () => {
  const sources = [{ source: 'db:5432/app', read: async () => [] }]
  expect(readEndpointSettings({ metrics: { sources } })).toMatchObject({
    paths: { metrics: '/metrics' },
    metricsSources: sources,
  })
  expect(readEndpointSettings({ metrics: { sources, path: '/m' } }).paths.metrics).toBe('/m')
})

test('given sources of the metrics, then the live page shows them unless it has its own', () => {
  const sources = [{ source: 'db:5432/app', read: async () => [] }]
  const own = [{ source: 'pgbouncer:6432/app', read: async () => [] }]
  const options = { metrics: { sources }, adminToken: 'secret' }
  expect(readEndpointSettings({ ...options, page: true })).toMatchObject({ pageSources: sources })
  expect(readEndpointSettings({ ...options, page: { path: '/pools', sources: own } })).toMatchObject({
    paths: { page: '/pools' },
    metricsSources: sources,
    pageSources: own,
  })
})

test.each<[option: string, options: object]>([
  ['health', { health: 'healthz' }],
  ['ready', { ready: 1 }],
  ['metrics', { metrics: null }],
  ['metrics', { metrics: 7 }],
  ['metrics.path', { metrics: { path: 'metrics' } }],
  ['metrics.sources', { metrics: { sources: 'postgresql://db/app' } }],
  ['metrics.sources[0]', { metrics: { sources: ['postgresql://db/app'] } }],
  ['admin', { admin: {} }],
  ['ready', { health: '/up', ready: '/up' }],
  ['page', { page: 7 }],
  ['page.path', { page: { path: 'pools' } }],
  ['page.sources', { page: { sources: 'postgresql://db/app' } }],
  ['page.actions', { page: { actions: 'yes' }, adminToken: 'a' }],
  ['page', { admin: '/pools', page: '/pools', adminToken: 'a' }],
  ['adminToken', { page: true }],
  ['adminToken', { admin: true }],
  ['adminToken', { admin: '/pools', adminToken: undefined }],
  ['adminToken', { adminToken: '' }],
  ['adminToken', { adminToken: 7 }],
  ['adminToken', { admin: true, adminToken: [] }],
  ['adminToken', { adminToken: 'secret\n' }],
  ['adminToken[0]', { adminToken: ['secret word'] }],
  ['adminToken[1]', { adminToken: ['secret', ' '] }],
  ['details', { details: 'yes' }],
])('given a wrong %s, then the error names it: %o', (option, options) => {
  const error = failureOf(() => readEndpointSettings(options as EndpointOptions))
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
