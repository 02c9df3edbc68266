import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { makeTables } from '../integration/typeorm-model.ts'
import { SEEDED_FAULTS, stage } from './seeded-faults.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 50 })
  await makeTables(server)
})
afterAll(() => server.stop())

/** Each library once; all of them are in `pnpm bench insight`. */
const THINNED = ['pg transaction', 'pg repeated', 'pg parallel', 'postgres.js transaction', 'drizzle repeated']
const MORE = ['prisma transaction', 'typeorm repeated', 'fastify held', 'nest transaction']
const names = process.env.POOLGUARD_MATRIX === 'full' ? SEEDED_FAULTS.map(({ name }) => name) : [...THINNED, ...MORE]

test.each(SEEDED_FAULTS.filter(({ name }) => names.includes(name)))(
  'the insight names the route and the line of: $name',
  async (fault) => {
    expect(await stage(fault, server.url)).toBe(undefined)
  },
)
