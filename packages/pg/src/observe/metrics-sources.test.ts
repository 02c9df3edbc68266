import { expect, test } from 'vitest'
import { pgBouncerSource, postgresSource } from './metrics-sources.ts'

test.each([
  ['postgresSource', postgresSource],
  ['pgBouncerSource', pgBouncerSource],
])('%s is named after host, port and database, and opens no connection yet', (_name, source) => {
  expect(source('postgresql://app:secret@db.example:6543/orders?sslmode=require').source).toBe('db.example:6543/orders')
  expect(source('postgresql://app:secret@db.example/orders', { source: 'the server' }).source).toBe('the server')
  const unset = { source: undefined, intervalMillis: undefined, timeoutMillis: undefined }
  expect(source('postgresql://app:secret@db.example/orders', unset).source).toBe('db.example:5432/orders')
})

test.each([
  ['postgresSource', postgresSource],
  ['pgBouncerSource', pgBouncerSource],
])('%s throws for an unset URL, an invalid URL and an invalid interval', (_name, source) => {
  expect(() => source(undefined)).toThrow('Invalid option url: undefined')
  expect(() => source('mysql://db/orders')).toThrow(expect.objectContaining({ code: 'POOLGUARD_CONNECTION_STRING' }))
  expect(() => source('postgresql://db/orders', { intervalMillis: -1 })).toThrow('intervalMillis: -1')
})
