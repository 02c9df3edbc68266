import { expect, test } from 'vitest'
import { migrationDataSource } from './migration-data-source.ts'

const NEON = 'postgresql://app:secret@ep-cool-1-pooler.eu-central-1.aws.neon.tech/orders?pgbouncer=true'

test('given a direct URL, then it is used with one connection, and the other options are kept', () => {
  const options = {
    type: 'postgres' as const,
    url: 'postgresql://app@pooler:6432/orders',
    migrationsRun: false,
    extra: { max: 20, keepAlive: true },
  }
  expect(migrationDataSource(options, 'postgresql://app:p/w@db/orders')).toEqual({
    type: 'postgres',
    url: 'postgresql://app:p%2Fw@db/orders',
    migrationsRun: false,
    extra: { max: 1, keepAlive: true },
  })
})

test('given a known provider, then its rule gives the direct URL', () => {
  expect(migrationDataSource({ type: 'postgres', url: NEON }, '').url).toBe(
    'postgresql://app:secret@ep-cool-1.eu-central-1.aws.neon.tech/orders',
  )
})

test('given host and user instead of a URL, then the rule changes host and user', () => {
  const password = async () => 'secret'
  const options = { type: 'postgres', host: 'aws-0-eu.pooler.supabase.com', port: 6543, password } as const
  expect(migrationDataSource({ ...options, username: 'postgres.abcdefghij' }, '')).toMatchObject({
    host: 'db.abcdefghij.supabase.co',
    port: 5432,
    username: 'postgres',
    password,
  })
})

test('given replication, then only the master is migrated', () => {
  const replication = { master: { url: NEON }, slaves: [{ url: 'postgresql://replica/orders' }] }
  const options = migrationDataSource({ type: 'postgres', replication } as const, '')
  expect(options).toEqual({
    type: 'postgres',
    url: 'postgresql://app:secret@ep-cool-1.eu-central-1.aws.neon.tech/orders',
    extra: { max: 1 },
  })
})

test('given no known pooler, or a pooler in session mode, then the URL is kept', () => {
  for (const url of ['postgresql://db/orders', 'postgresql://u@aws-0-eu.pooler.supabase.com:5432/orders']) {
    expect(migrationDataSource({ type: 'postgres', url }, '').url).toBe(url)
  }
})

test('given a known pooler without a rule for its direct URL, then it throws', () => {
  const refused = () => migrationDataSource({ type: 'postgres', url: 'postgresql://app:secret@db:6432/orders' }, '')
  expect(refused).toThrow(/Invalid option directUrl.*db looks like a pooler \(PgBouncer\).*DIRECT_URL/s)
  expect(refused).not.toThrow('secret')
})

test('given DIRECT_URL and no argument, then DIRECT_URL is used', () => {
  process.env.DIRECT_URL = 'postgresql://db/direct'
  try {
    expect(migrationDataSource({ type: 'postgres', url: NEON }).url).toBe('postgresql://db/direct')
  } finally {
    delete process.env.DIRECT_URL
  }
})
