import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { snapshotPools } from '@poolguard/core'
import { GuardedPool, guardPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { hasSignals, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

describe('given a name', () => {
  test('when the same module asks ten times, then there is one pool and its connections', async () => {
    const pools = Array.from({ length: 10 }, () => guardPool({ url: server.url, name: 'orders', max: 3 }))
    await Promise.all(pools.map((pool) => pool.query('select pg_sleep(0.01)')))

    expect(new Set(pools).size).toBe(1)
    expect(snapshotPools()).toHaveLength(1)
    expect(await server.connectionCount()).toBeLessThanOrEqual(3)
    await pools[0]?.end()
    const next = guardPool({ url: server.url, name: 'orders', max: 3 })
    expect(next).not.toBe(pools[0])
    await next.query('select 1')
    await next.end()
  })

  test('when the options have changed, then work on the old pool is finished, and the new one serves', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    const before = guardPool({ url: server.url, name: 'changing' })
    const atWork = before.query('select pg_sleep(0.2), 1 as one')
    await waitUntil(() => before.snapshot().stats.active > 0, { what: 'the query runs' })
    const after = guardPool({ url: server.url, name: 'changing', max: 2 })

    expect((await after.query('select 2 as two')).rows).toEqual([{ two: 2 }])
    expect((await atWork).rows).toMatchObject([{ one: 1 }])
    await expect(before.query('select 1')).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('"changing"'), 'PoolguardWarning')
    await after.end()
    await waitUntil(() => snapshotPools().length === 0, { what: 'both are drained' })
  })
})

test('given two pools without a name to one database, then the second is warned of, once', async () => {
  const warnings: string[] = []
  const onEvent = (event: { type: string; message?: string }) =>
    event.type === 'warning' && warnings.push(`${event.message}`)
  const pools = Array.from({ length: 3 }, () => new GuardedPool({ url: server.url, onEvent, max: 2 }))
  for (const pool of pools) await pool.query('select 1')
  expect(warnings).toEqual([
    expect.stringContaining('leads to the same database. Each pool opens its own connections, up to 2 + 2'),
  ])
  await Promise.all(pools.map((pool) => pool.end()))
})

describe('given a function that may be frozen', () => {
  test('when requests have been served, then it is kept alive until the idle connections are closed', async () => {
    const kept: Promise<void>[] = []
    const pool = new GuardedPool({
      url: server.url,
      name: 'frozen',
      preset: 'serverless',
      pool: { idleTimeoutMillis: 50 },
      waitUntil: (emptied) => kept.push(emptied),
    })
    await Promise.all(Array.from({ length: 20 }, () => pool.query('select 1')))
    expect(kept).toHaveLength(20)
    expect(pool.snapshot().stats).toMatchObject({ max: 2 })
    await Promise.all(kept)
    expect(pool.snapshot().stats.total).toBe(0)
    expect(await server.connectionCount()).toBe(0)

    await pool.query('select 1')
    await pool.end()
    await Promise.all(kept)
  })

  test('when it closes what is idle before it is frozen, then nothing is left on the server, and it thaws', async () => {
    const pool = new GuardedPool({ url: server.url, name: 'thawing' })
    await pool.ready()
    await Promise.all([pool.query('select 1'), pool.query('select 1')])
    await pool.closeIdle()
    expect(await server.connectionCount()).toBe(0)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  })
})

describe.skipIf(!hasSignals)('given a process under load that gets a signal to stop', () => {
  test.for([
    ['SIGTERM', 'graceful', 'finished'],
    ['SIGINT', 'graceful', 'finished'],
    ['SIGTERM', 'stuck', 'cut off'],
  ] as const)(
    'by %s, with work that is %s, then it drains and ends by that signal: %s',
    async ([signal, mode, end]) => {
      const child = start(mode)
      await said(child, 'working')
      child.kill(signal)
      await once(child, 'close')

      expect(outputs.get(child)?.trim().split('\n')).toEqual(['working', 'stopping', end, 'POOLGUARD_CLOSED'])
      expect(child.signalCode).toBe(signal)
      await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection is left' })
    },
  )

  test('twice, then it ends at once', async () => {
    const child = start('stubborn')
    await said(child, 'working')
    child.kill('SIGTERM')
    await said(child, 'stopping')
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(child.signalCode).toBe('SIGTERM')
  })
})

const outputs = new Map<ChildProcess, string>()

function start(mode: string): ChildProcess {
  const program = fileURLToPath(new URL('shutting-down.ts', import.meta.url))
  const child = spawn(process.execPath, [program, server.url, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout?.on('data', (data) => outputs.set(child, (outputs.get(child) ?? '') + String(data)))
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function said(child: ChildProcess, what: string): Promise<void> {
  await waitUntil(() => outputs.get(child)?.includes(what), { what })
}
