import { expect, test } from 'vitest'
import { serverSettings } from '../recommend/server-settings.ts'
import { generateRds, inUnit } from './rds.ts'

const BUDGET = { steps: [], maxPerPool: 10, maxPerInstance: 10, instances: 1, pools: 1, headroom: 10, usable: 90 }

test.each([
  ['shared_buffers', '2GB', '262144'],
  ['effective_cache_size', '6144MB', '786432'],
  ['work_mem', '9216kB', '9216'],
  ['work_mem', '4MB', '4096'],
  ['idle_in_transaction_session_timeout', '60s', '60000'],
  ['statement_timeout', '2min', '120000'],
  ['client_connection_check_interval', '10s', '10000'],
  ['tcp_keepalives_idle', '60', '60'],
  ['max_connections', '200', '200'],
])('%s = %s is %s in a parameter group', (name, value, expected) => {
  expect(inUnit(name, value)).toBe(expected)
})

test('every value is a number in a unit, and settings that RDS manages are left out', () => {
  const settings = serverSettings({
    version: 18,
    maxConnections: 200,
    reserved: 3,
    headroom: 10,
    memoryMegabytes: 8_192,
    statementTimeout: '30s',
  })
  const [file] = generateRds(18, settings, BUDGET).files
  const parameters = JSON.parse(file?.content ?? '') as Record<string, string>[]

  expect(parameters.length).toBeGreaterThan(8)
  for (const { ParameterValue } of parameters) expect(ParameterValue).toMatch(/^\d+$/)
  const names = parameters.map(({ ParameterName }) => ParameterName)
  expect(names).not.toContain('superuser_reserved_connections')
  expect(parameters.find(({ ParameterName }) => ParameterName === 'max_connections')?.ApplyMethod).toBe(
    'pending-reboot',
  )
})
