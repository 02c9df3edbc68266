import { expect, test } from 'vitest'
import { appEnvironment, GENERATED_POOLER, POSTGRES_ITSELF, type Wiring } from './app-environment.ts'

const place = { host: 'db', port: 5432, database: 'orders', role: 'app', parameters: [['sslmode', 'require']] } as const
const pooler = { host: 'pooler', port: 6432, parameters: [] } as const

function variables(packages: readonly string[], drivers: Wiring['drivers'], behind?: typeof pooler) {
  const wiring = { packages: new Map(packages.map((name) => [name, '*'])), drivers }
  const made = appEnvironment({
    place,
    pooler: behind,
    traits: behind ? GENERATED_POOLER : POSTGRES_ITSELF,
    password: 'CHANGE_ME',
    maxPerPool: 8,
    wiring,
  })
  return Object.fromEntries(made.map(({ name, value }) => [name, value]))
}

test.each<[given: string, packages: readonly string[], drivers: Wiring['drivers'], url: string, max?: string]>([
  ['pg', ['pg'], ['pg'], 'pooler:6432/orders', '8'],
  ['poolguard under any driver', ['pg', '@poolguard/drizzle'], ['pg'], 'pooler:6432/orders?connection_limit=8'],
  // PgBouncer tracks prepared statements, so pgbouncer=true would only make queries slower.
  ["Prisma's engine", ['@prisma/client'], ['prisma-engine'], 'pooler:6432/orders?connection_limit=8&pool_timeout=10'],
])('behind the pooler, the variables for %s contain the pool size', (_, packages, drivers, url, max) => {
  expect(variables(packages, drivers, pooler)).toEqual({
    DATABASE_URL: `postgresql://app:CHANGE_ME@${url}`,
    DIRECT_URL: 'postgresql://app:CHANGE_ME@db:5432/orders?sslmode=require',
    ...(max !== undefined && { DB_POOL_MAX: max }),
  })
})

test('without a pooler there is one URL', () => {
  expect(variables(['postgres'], ['postgres.js'])).toEqual({
    DATABASE_URL: 'postgresql://app:CHANGE_ME@db:5432/orders?sslmode=require',
    DB_POOL_MAX: '8',
  })
})
