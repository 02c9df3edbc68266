import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Controller, Get, Inject, type OnApplicationShutdown } from '@nestjs/common'
import { Poolguard, PoolguardModule } from '@poolguard/nestjs'
import { SqlitePool } from '@poolguard/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { platforms, route, startApp } from './nestjs-app.ts'

const SQLITE = 'SQLITE'

/** As an app provides one: who has made a pool closes it. */
class Quotas extends SqlitePool implements OnApplicationShutdown {
  onApplicationShutdown(): Promise<void> {
    return this.close()
  }
}

class QuotaController {
  readonly #pool: SqlitePool

  constructor(pool: SqlitePool) {
    this.#pool = pool
  }

  async count(): Promise<unknown> {
    return (await this.#pool.query('SELECT count(*) AS n FROM quotas')).rows[0]
  }
}
Controller('quotas')(QuotaController)
Inject(SQLITE)(QuotaController, undefined, 0)
route(QuotaController, 'count', Get())

test.each(platforms)(
  'given the module without options on %s, then it shows and judges a SQLite pool as any other',
  async (platform) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-sqlite-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const pool = new Quotas({ file: path.join(folder, 'quota.db') })
    await pool.exec('CREATE TABLE quotas (client TEXT PRIMARY KEY)')
    await using running = await startApp(platform, {
      imports: [PoolguardModule.forRoot({ metrics: true })],
      controllers: [QuotaController],
      providers: [{ provide: SQLITE, useValue: pool }],
    })
    expect(await (await running.get('/quotas')).json()).toEqual({ n: 0 })
    const poolguard = running.app.get(Poolguard)
    expect(poolguard.snapshots()).toMatchObject([{ name: 'quota.writer' }, { name: 'quota.readers' }])
    expect(poolguard.health().status).toBe('healthy')
    const page = async () => (await running.get('/metrics')).text()
    await expect.poll(page).toContain('{db_client_connection_pool_name="quota.readers"} 1')
    await pool.transaction(async () => {
      const waiting = Array.from({ length: 25 }, () => pool.query("DELETE FROM quotas WHERE client = ''"))
      void Promise.allSettled(waiting)
      await expect.poll(() => poolguard.health().status).toBe('critical')
    })
    await running.app.close()
    expect(pool.closed).toBe(true)
    expect(poolguard.snapshots()).toEqual([])
  },
)
