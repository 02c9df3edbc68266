import { BudgetError } from '@poolguard/core/postgres'
import { expect, test } from 'vitest'
import { memorySettings } from './memory-settings.ts'
import { type ServerSettingsInput, serverSettings } from './server-settings.ts'

function values(input: Partial<ServerSettingsInput>): Record<string, string> {
  const settings = serverSettings({ version: 18, maxConnections: 100, reserved: 3, headroom: 10, ...input })
  return Object.fromEntries(settings.map(({ name, value }) => [name, value]))
}

test.each<[given: string, input: Partial<ServerSettingsInput>, superusers: string, roles: string | undefined]>([
  ['the defaults', {}, '3', '3'],
  ['PostgreSQL 15, which reserves slots for superusers only', { version: 15, reserved: 5 }, '5', undefined],
  ['more reserved than superusers need', { reserved: 8 }, '3', '8'],
  ['no headroom', { headroom: 0 }, '3', undefined],
  ['a small headroom', { headroom: 1 }, '3', '1'],
])('given %s, reserves slots from the headroom', (_, input, superusers, roles) => {
  const settings = values(input)

  expect(settings.superuser_reserved_connections).toBe(superusers)
  expect(settings.reserved_connections).toBe(roles)
})

test('statement_timeout and memory settings need their options', () => {
  expect(Object.keys(values({}))).not.toContain('statement_timeout')
  expect(Object.keys(values({}))).not.toContain('work_mem')
  expect(values({ statementTimeout: '30s', memoryMegabytes: 8_192 })).toMatchObject({
    statement_timeout: '30s',
    shared_buffers: '2048MB',
    effective_cache_size: '6144MB',
    maintenance_work_mem: '512MB',
    work_mem: '18MB',
  })
})

test.each<[megabytes: number, connections: number, workMem: string, maintenance: string]>([
  [256, 10, '3MB', '16MB'],
  [1_024, 76, '3MB', '64MB'],
  [65_536, 4_915, '3MB', '2047MB'],
  [256, 96, '630kB', '16MB'],
])('%i MB for %i connections', (megabytes, connections, workMem, maintenance) => {
  const settings = new Map(memorySettings(megabytes, connections).map(({ name, value }) => [name, value]))

  expect(settings.get('work_mem')).toBe(workMem)
  expect(settings.get('maintenance_work_mem')).toBe(maintenance)
})

test('rejects connections that do not fit into the memory, and suggests a number that fits', () => {
  expect(() => memorySettings(1_024, 385)).toThrow(BudgetError)
  expect(() => memorySettings(1_024, 385)).toThrow('Lower max_connections to 384')
})
