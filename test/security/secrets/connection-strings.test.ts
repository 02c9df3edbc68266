import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { GuardedPool } from '@poolguard/pg'
import { expect, test } from 'vitest'
import { expectNoLeaks } from './expect-no-leaks.ts'
import { facesOf } from './faces.ts'
import { findLeaks } from './find-leaks.ts'
import { connectionStrings, environments, pgPools, postgresJsPools, type Subject } from './subjects.ts'
import { TEXT_SHAPES } from './text-shapes.ts'

const SUBJECTS: Readonly<Record<string, Subject>> = { connectionStrings, environments, pgPools, postgresJsPools }

test('every shape has a name of its own', () => {
  expect(new Set(TEXT_SHAPES.map(({ name }) => name)).size).toBe(TEXT_SHAPES.length)
  expect(TEXT_SHAPES.length).toBeGreaterThanOrEqual(61)
})

test.each(Object.entries(SUBJECTS))('%s show no secret, whatever shape it has', async (_name, subject) => {
  await expectNoLeaks(TEXT_SHAPES, ({ text }) => subject(text))
})

test('a pool shows no secret while it connects', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const url = `postgres://app%3AZx7qPw3nKv9tRb5mJd2hYc8g@127.0.0.1:${port}/db`
  const pool = new GuardedPool({ url, pool: { acquireTimeoutMillis: 300, connectTimeoutMillis: 300 } })
  const query = pool.query('select 1').catch(() => {})
  await expect.poll(() => (pool as unknown as { _clients: unknown[] })._clients.length).toBeGreaterThan(0)
  const outputs = facesOf('GuardedPool', pool)
  await query
  await pool.end()
  silent.close()
  expect(findLeaks('Zx7qPw3nKv9tRb5mJd2hYc8g', outputs)).toEqual([])
})
