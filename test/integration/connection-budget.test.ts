import { budgetOf, InvalidOptionError } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, watchSessions } from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'

const DATABASES = 5
const TENANTS = isFullMatrix ? 200 : 60
const MAX = 20

let server: PostgresServer
beforeAll(async () => {
  // For the tenants' connections, and for those of the test; three are reserved for superusers.
  server = await startPostgres({ maxConnections: MAX + 8 })
  for (let n = 0; n < DATABASES; n++) await server.query(`create database tenants_${n} owner app`)
})
afterAll(() => server.stop())

const urlOf = (tenant: number) => server.url.replace(/\/[^/]*$/, `/tenants_${tenant % DATABASES}`)

test(`${TENANTS} tenants, each with a pool of its own, share ${MAX} connections: none is refused`, async () => {
  const budget = budgetOf('tenants', { max: MAX })
  const events: string[] = []
  const pools = Array.from(
    { length: TENANTS },
    (_, n) =>
      new GuardedPool({
        ...{ url: urlOf(n), name: `tenant ${n}`, budget, insight: false },
        pool: { acquireTimeoutMillis: 60_000 },
        onEvent: ({ type }) => events.push(type),
      }),
  )
  const sessions = watchSessions(server, 0)
  const answers = await Promise.all(
    pools.flatMap((pool, n) =>
      Array.from(
        { length: 3 },
        async () => (await pool.query('select current_database() as name')).rows[0].name === `tenants_${n % DATABASES}`,
      ),
    ),
  )
  const most = await sessions.end()
  expect(answers).toEqual(Array(TENANTS * 3).fill(true))
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(MAX)
  expect(events.filter((type) => ['connect-failed', 'timeout', 'saturated'].includes(type))).toEqual([])
  expect(budget.used).toBeLessThanOrEqual(MAX)
  await Promise.all(pools.map((pool) => pool.end()))
  expect([budget.used, budget.pools]).toEqual([0, 0])
})

test('pools of pg, postgres.js and Drizzle share one budget', async () => {
  const budget = budgetOf('drivers', { max: 1 })
  const pool = new GuardedPool({ url: urlOf(0), name: 'of pg', budget })
  const postgres = guardPostgres(urlOf(1), { name: 'of postgres.js', budget })
  const db = drizzle({ connection: { url: urlOf(2), name: 'of drizzle', budget } })
  for (let round = 0; round < 3; round++) {
    const names = await Promise.all([
      pool.query('select current_database() as name').then(({ rows }) => rows[0].name),
      postgres`select current_database() as name`.then(([row]) => row?.name),
      db.execute(sql`select current_database() as name`).then(({ rows }) => rows[0]?.name),
    ])
    expect(names).toEqual(['tenants_0', 'tenants_1', 'tenants_2'])
    expect(budget.used).toBe(1)
  }
  await Promise.all([pool.end(), postgres.end(), db.$client.end()])
})

test('a name means the same budget everywhere; the max of the last call counts', () => {
  const budget = budgetOf('named', { max: 3 })
  expect(budgetOf('named')).toBe(budget)
  expect(budgetOf('named', { max: 5 })).toBe(budget)
  expect(budget.max).toBe(5)
  expect(() => budgetOf('unknown')).toThrow(InvalidOptionError)
})

test.each([
  ['budget', { budget: 20 as never }],
  ['pool.min', { pool: { min: 1 } }],
  ['fleet', { fleet: { app: 'orders' } }],
])('a contradicting %s is rejected', (option, options) => {
  const budget = budgetOf('contradicted', { max: 3 })
  expect(() => new GuardedPool({ url: urlOf(0), budget, ...options })).toThrow(expect.objectContaining({ option }))
})
