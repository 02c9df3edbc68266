import { expect, test } from 'vitest'
import { requestedSettings } from './requested-settings.ts'

const LIMITS = { maxConnections: 100, reserved: 3 }

test.each([
  'PostgreSQL 16.4, compiled by Visual C++ build 1940, 64-bit',
  'PostgreSQL 18.0 on x86_64-windows, compiled by msvc-19.44.35209, 64-bit',
])('on %s, leaves out settings that Windows does not support', (build) => {
  expect(requestedSettings({ ...LIMITS, build }, {}).map(({ name }) => name)).toEqual([
    'idle_in_transaction_session_timeout',
    'tcp_keepalives_idle',
    'tcp_keepalives_interval',
  ])
})

test.each([
  'PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc (GCC) 14.2.0, 64-bit',
  'PostgreSQL 17.6 on aarch64-apple-darwin24, compiled by Apple clang version 17.0.0, 64-bit',
])('on %s, recommends all settings', (build) => {
  expect(requestedSettings({ ...LIMITS, build }, {})).toHaveLength(5)
})
