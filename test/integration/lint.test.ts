import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'

const describe = await describeWithPgBouncer('1.24')
describe('given a pooler in transaction mode', () => {
  let server: PostgresServer
  let pooler: PgBouncerServer
  beforeAll(async () => {
    server = await startPostgres()
    pooler = await startPgBouncer({ version: '1.24', upstream: server, settings: { max_prepared_statements: 0 } })
  })
  afterAll(async () => {
    await pooler.stop()
    await server.stop()
  })

  async function readyPool(config: GuardedPoolConfig = {}): Promise<{ pool: GuardedPool; warnings: string[] }> {
    const warnings: string[] = []
    const pool = new GuardedPool({
      url: pooler.url,
      max: 2,
      onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
      ...config,
    })
    await pool.ready()
    return { pool, warnings }
  }

  test('when a statement depends on the session, then one warning says what to do instead', async () => {
    const { pool, warnings } = await readyPool()
    for (let i = 0; i < 3; i++) await pool.query('SET statement_timeout = 5000')
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('SET LOCAL statement_timeout = 5000')
    await client.query(`SELECT 'SET work_mem = 1; LISTEN everything'`)
    await client.query('COMMIT')
    client.release()
    expect(warnings).toEqual([
      expect.stringMatching(
        /^SET statement_timeout depends on the session, but the server of this pool is a pooler in transaction mode.*SET LOCAL/,
      ),
    ])
    expect(pool.snapshot().sessionStateFindings).toBe(1)
    await pool.query('RESET statement_timeout')
    await pool.end()
  })

  test("with lint 'throw', then it is not sent, in every style of query", async () => {
    const { pool } = await readyPool({ sessionState: 'throw' })
    const refusal = { code: 'POOLGUARD_SESSION_STATE', finding: { construct: 'LISTEN' } }
    await expect(pool.query('LISTEN jobs')).rejects.toMatchObject(refusal)
    await expect(pool.query('LISTEN jobs')).rejects.toMatchObject(refusal)
    expect(await new Promise((resolve) => pool.query('LISTEN jobs', (error) => resolve(error)))).toMatchObject(refusal)
    const client = await pool.connect()
    await expect(client.query('LISTEN jobs')).rejects.toMatchObject(refusal)
    expect(await new Promise((resolve) => client.query('LISTEN jobs', (error) => resolve(error)))).toMatchObject(
      refusal,
    )
    client.release()
    const named = pool.query({ name: 'by_id', text: 'select $1::int as n', values: [1] })
    await expect(named).rejects.toMatchObject({ finding: { construct: 'a named statement' } })
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  })

  test("with lint 'off', then nothing is said", async () => {
    const { pool, warnings } = await readyPool({ sessionState: 'off' })
    await pool.query('SET work_mem = 65')
    await pool.query('RESET work_mem')
    expect(warnings).toEqual([])
    await pool.end()
  })

  test("with reset 'discard', then other clients' sessions are left alone", async () => {
    const { pool, warnings } = await readyPool({ resetOnRelease: 'discard' })
    await pool.query('select 1')
    expect(warnings).toEqual([])
    await pool.end()
  })

  test('when it is PostgreSQL itself, then nothing is said', async () => {
    const { pool, warnings } = await readyPool({ url: server.url })
    await pool.query('SET work_mem = 65')
    await pool.query('LISTEN jobs')
    expect(warnings).toEqual([])
    await pool.end()
  })
})
