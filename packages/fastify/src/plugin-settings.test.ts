import { asyncContextIsCheap } from '@poolguard/core/adapter'
import { expect, test } from 'vitest'
import type { PoolguardFastifyOptions } from './plugin-options.ts'
import { readSettings } from './plugin-settings.ts'

test('given no options, then labels, deadlines and error mapping are on', () => {
  expect(readSettings({})).toMatchObject({
    endpoints: { paths: { health: '/healthz', ready: '/readyz' } },
    requests: { deadlines: asyncContextIsCheap, labels: asyncContextIsCheap, mapErrors: true, shedLoad: undefined },
    closeOnShutdown: false,
    closeDelayMillis: 0,
  })
})

test('given a name, then routes, labels and error mapping are off', () => {
  const none = { health: undefined, ready: undefined, metrics: undefined, admin: undefined }
  expect(readSettings({ name: 'orders' })).toMatchObject({
    endpoints: { paths: none },
    requests: { labels: false, deadlines: false, mapErrors: false },
  })
  const asked = readSettings({ name: 'orders', ready: '/orders/readyz', labels: true, mapErrors: true })
  expect(asked).toMatchObject({
    endpoints: { paths: { ready: '/orders/readyz' } },
    requests: { labels: true, mapErrors: true },
  })
})

test.each<[option: string, options: object]>([
  ['name', { name: '' }],
  ['name', { name: 7 }],
  ['health', { health: 'healthz' }],
  ['labels', { labels: 1 }],
  ['deadlines', { deadlines: 500 }],
  ['mapErrors', { mapErrors: null }],
  ['closeOnShutdown', { closeOnShutdown: 'true' }],
  ['closeDelayMillis', { closeDelayMillis: '5s' }],
  ['closeDelayMillis', { closeDelayMillis: Infinity }],
  ['shedLoad', { shedLoad: 50 }],
])('given a wrong %s, then the error names it: %o', (option, options) => {
  expect(() => readSettings(options as PoolguardFastifyOptions)).toThrow(
    expect.objectContaining({ code: 'POOLGUARD_INVALID_OPTION', option }),
  )
})
