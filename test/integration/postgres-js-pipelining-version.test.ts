import { guardPostgres } from '@poolguard/postgres-js'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { startPostgres } from '../harness/index.ts'

const isOld = !('sslnegotiation' in postgres({ max: 1 }).options)

test(`postgres.js ${isOld ? 'before 3.4.8 does not pipeline, and says so' : 'since 3.4.8 pipelines'}`, async () => {
  await using server = await startPostgres()
  const sql = guardPostgres(server.url, { pool: { max: 1, pipeline: 'reads', shareWithinMillis: 1_000 } })
  await sql.ready()
  const numbers = Array.from({ length: 10 }, (_, n) => n)
  for (let turn = 0; turn < 5; turn++)
    expect(await Promise.all(numbers.map(async (n) => (await sql`select ${n}::int as n`)[0]?.n))).toEqual(numbers)
  const { mode, reason } = sql.snapshot().pipelining ?? {}
  await sql.end()
  expect(mode).toBe(isOld ? 'off' : 'reads')
  if (isOld) expect(reason).toMatch(/this version of postgres.js settles queries too early \(3.4.8 and later do not\)/)
})

test.runIf(isOld)(
  'postgres.js before 3.4.8 is rejected for a pool with replicas, with direct negotiation of TLS, too',
  () => {
    for (const parameters of ['', '?sslmode=require&sslnegotiation=direct']) {
      const [url, replica] = ['primary', 'replica'].map((host) => `postgresql://app@${host}/app${parameters}`)
      expect(() => guardPostgres({ url, replicas: [replica as string] })).toThrow(/update it to 3.4.8/)
    }
  },
)
