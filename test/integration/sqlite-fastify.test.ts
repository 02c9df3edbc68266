import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { poolguardFastify } from '@poolguard/fastify'
import { SqlitePool } from '@poolguard/sqlite'
import fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'

test('given the plugin without a pool, then it shows, judges and closes a SQLite pool as any other', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-sqlite-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const pool = new SqlitePool({ file: path.join(folder, 'quota.db'), pool: { maxWaiters: 0 } })
  await pool.exec('CREATE TABLE quotas (client TEXT PRIMARY KEY, used INTEGER NOT NULL)')
  const app = fastify()
  await app.register(poolguardFastify, { metrics: true, admin: true, adminToken: 'secret', closeOnShutdown: true })
  app.get('/quota', async () => (await pool.query('SELECT count(*) AS n FROM quotas')).rows[0])
  app.post('/quota', () => pool.query("INSERT INTO quotas VALUES ('a', 1)"))

  expect((await app.inject('/quota')).json()).toEqual({ n: 0 })
  expect((await app.inject('/readyz')).statusCode).toBe(200)
  expect((await app.inject('/metrics')).body).toContain('{db_client_connection_pool_name="quota.writer"} 1')
  const admin = await app.inject({ url: '/admin/db-pool-stats', headers: { authorization: 'Bearer secret' } })
  expect(admin.body).toContain('quota.readers')

  // The writer is in use, and no caller may wait for it.
  await pool.transaction(async () => {
    const answer = await app.inject({ method: 'POST', url: '/quota' })
    expect(answer.statusCode).toBe(503)
    // The pool's estimate varies, so that rejected callers do not return at the same time.
    expect(answer.headers['retry-after']).toMatch(/^[12]$/)
  })
  await app.close()
  expect(pool.closed).toBe(true)
})
