import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type DynamicModule, Inject, Injectable, Module, type Type } from '@nestjs/common'
import { TypeOrmModule } from '@nestjs/typeorm'
import { snapshotPools } from '@poolguard/core'
import { getPoolToken, Poolguard, PoolguardModule } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'
import { guardDataSource } from '@poolguard/typeorm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasSignals, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { platforms, type RunningApp, startApp, WorkController } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const pools = () => PoolguardModule.forRoot({ url: server.url, name: 'work', pool: { max: 2 } })

/** Requests of which two are at the database, and the others wait for a connection. */
async function makeRequests({ app, url }: RunningApp): Promise<Promise<Response>[]> {
  // Looking at the database takes a connection as well.
  await app.get(Poolguard).pool().ready()
  const requests = Array.from({ length: 6 }, () => request(url))
  await waitUntil(() => snapshotPools().some(({ stats }) => stats.active === 2 && stats.waiting === 4), {
    what: 'four requests wait',
  })
  return requests
}

/** Not kept alive: until the client has closed such a connection, Fastify waits for it. */
function request(url: string): Promise<Response> {
  return fetch(new URL('/work/0.2', url), { headers: { connection: 'close' } })
}

describe.each(platforms)('given requests that are being served by %s', (platform) => {
  test('when the app is closed, then all of them are answered, and every connection is closed', async () => {
    const running = await startApp(platform, { imports: [pools()], controllers: [WorkController] })
    const requests = await makeRequests(running)
    await Promise.all([running.app.close(), running.app.close()])
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect(snapshotPools()).toEqual([])
    await expect.poll(() => server.connectionCount()).toBe(0)
    await running.app.close()
  })

  test('when the app has TypeORM, too, then neither is in the way of the other', async () => {
    const options = { type: 'postgres', url: server.url } as const
    const typeOrm = TypeOrmModule.forRoot(guardDataSource(options, { name: 'typeorm' }))
    const running = await startApp(platform, { imports: [typeOrm, pools()], controllers: [WorkController] })
    const dataSource = running.app.get(DataSource)
    const requests = await makeRequests(running)
    const query = dataSource.query('select pg_sleep(0.3), 1 as one')
    await running.app.close()
    expect(await query).toMatchObject([{ one: 1 }])
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect([dataSource.isInitialized, snapshotPools()]).toEqual([false, []])
    await expect.poll(() => server.connectionCount()).toBe(0)
  })

  test.skipIf(!hasSignals).for(['SIGTERM', 'SIGINT'] as const)(
    'when the process gets %s, then all of them are answered, and it ends by that signal',
    async (signal) => {
      const { child, lines } = startProgram(platform)
      const [url] = await once(lines, 'line')
      const busy = once(lines, 'line')
      const requests = Array.from({ length: 6 }, () => request(url))
      await busy
      child.kill(signal)
      expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(6).fill(200))
      await once(child, 'close')
      expect(child.signalCode).toBe(signal)
      await expect.poll(() => server.connectionCount()).toBe(0)
    },
  )
})

const hooks = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const

/** A module that works with the database in each hook of the shutdown. */
function lateModule(name: string, outcomes: string[], global: boolean, ...imports: (Type | DynamicModule)[]) {
  class LateService {
    readonly #pool: GuardedPool

    constructor(pool: GuardedPool) {
      this.#pool = pool
    }

    async say(hook: string): Promise<void> {
      const { rows } = await this.#pool.query('select $1::text as said', [`${name} ${hook}`])
      outcomes.push(rows[0].said)
    }
    onModuleDestroy = () => this.say('onModuleDestroy')
    beforeApplicationShutdown = () => this.say('beforeApplicationShutdown')
    onApplicationShutdown = () => this.say('onApplicationShutdown')
  }
  Injectable()(LateService)
  Inject(getPoolToken())(LateService, undefined, 0)
  class LateModule {}
  Module({ imports, providers: [LateService] })(LateModule)
  return { module: LateModule, global }
}

describe('given modules that need the database in their shutdown hooks', () => {
  test.for([
    { global: true, first: true },
    { global: true, first: false },
    { global: false, first: true },
    { global: false, first: false },
  ])(
    'when $global is whether they are global, and $first is whether the pool comes first, then they get it',
    async ({ global, first }) => {
      const outcomes: string[] = []
      const late = [
        lateModule('a', outcomes, global, lateModule('deep', outcomes, global)),
        lateModule('b', outcomes, global),
      ]
      const { app } = await startApp('express', { imports: first ? [pools(), ...late] : [...late, pools()] })
      const pool: GuardedPool = app.get(getPoolToken())
      await app.close()
      expect(outcomes.toSorted()).toEqual(
        ['a', 'b', 'deep'].flatMap((name) => hooks.map((hook) => `${name} ${hook}`)).toSorted(),
      )
      expect(pool.closed).toBe(true)
    },
  )

  test('when the pool is not global, and imported by each, then they get it', async () => {
    const outcomes: string[] = []
    const local = PoolguardModule.forRoot({ url: server.url, isGlobal: false })
    const shallow = lateModule('shallow', outcomes, false, local)
    const { app } = await startApp('express', {
      imports: [local, lateModule('global', outcomes, true, lateModule('deep', outcomes, true, local), local), shallow],
    })
    await app.close()
    expect(outcomes).toHaveLength(9)
  })
})

test('given work that was begun before and goes on, when the app is closed, then the drain waits for it', async () => {
  const { app } = await startApp('express', { imports: [pools()] })
  const pool: GuardedPool = app.get(getPoolToken())
  const client = await pool.connect()
  const closing = app.close()
  await waitUntil(() => pool.closed, { what: 'the pool drains' })
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
  client.release()
  await closing
  expect(await server.connectionCount()).toBe(0)
})

test('given a pool that was ended by hand, when the app is closed, then nothing is amiss', async () => {
  const { app } = await startApp('express', { imports: [pools()] })
  await app.get<GuardedPool>(getPoolToken()).end()
  await expect(app.close()).resolves.toBeUndefined()
})

function startProgram(platform: string): { child: ChildProcess; lines: Interface } {
  const program = fileURLToPath(new URL('nestjs-shutting-down.ts', import.meta.url))
  const resolution = process.env.NEST_REGISTER ? ['--import', process.env.NEST_REGISTER] : []
  const args = [...resolution, program, server.url, platform]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, lines: createInterface({ input: child.stdout }) }
}
