import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Fault, Scene } from '../fault.ts'
import { killSessions, openOthers } from './actions.ts'

async function command({ pooler }: Scene, ...texts: readonly string[]): Promise<void> {
  if (!pooler) throw new Error('The fault has no pooler')
  const admin = new pg.Client(pooler.adminUrl)
  await admin.connect()
  for (const text of texts) await admin.query(text)
  await admin.end()
}

function pooledUrl({ pooler }: Scene): string {
  if (!pooler) throw new Error('The fault has no pooler')
  return pooler.url
}

/** By default PgBouncer repeats for 15 s, as long as the table waits, that a login on the server has failed. */
const POOL = { default_pool_size: 4, server_login_retry: 3 }

export const poolerFaults: readonly Fault[] = [
  {
    id: 'pooler-restarted',
    title: 'PgBouncer is restarted',
    pooler: POOL,
    inject: async ({ pooler }) => pooler?.restart(),
  },
  {
    id: 'pooler-killed',
    title: 'PgBouncer is killed, and started again two seconds later',
    pooler: POOL,
    async inject({ pooler }) {
      await pooler?.kill('SIGKILL')
      await pause(2_000)
      await pooler?.restart()
    },
  },
  {
    id: 'pooler-paused',
    title: 'PgBouncer is paused for two seconds',
    pooler: POOL,
    async inject(scene) {
      await command(scene, 'PAUSE app')
      await pause(2_000)
      await command(scene, 'RESUME app')
    },
  },
  {
    id: 'pooler-reloaded',
    title: 'PgBouncer is reloaded under load',
    pooler: POOL,
    async inject(scene) {
      for (let n = 0; n < 5; n++) await command(scene, 'RELOAD', 'RECONNECT')
    },
  },
  {
    id: 'pooler-kill-database',
    title: 'PgBouncer kills the database, and resumes it',
    pooler: POOL,
    async inject(scene) {
      await command(scene, 'KILL app')
      await pause(1_000)
      await command(scene, 'RESUME app')
    },
  },
  {
    id: 'pooler-disabled',
    title: 'PgBouncer disables the database for two seconds',
    pooler: POOL,
    async inject(scene) {
      await command(scene, 'DISABLE app')
      scene.proxy.reset()
      await pause(2_000)
      await command(scene, 'ENABLE app')
    },
  },
  {
    id: 'pooler-queue-timeout',
    title: 'All server connections of PgBouncer are taken: query_wait_timeout',
    pooler: { default_pool_size: 4, query_wait_timeout: 1 },
    async inject(scene) {
      const end = await openOthers(pooledUrl(scene), 4, 'begin')
      await pause(3_000)
      await end()
    },
  },
  {
    id: 'pooler-clients-full',
    title: 'PgBouncer has no client connection left for two seconds',
    pooler: { default_pool_size: 4, max_client_conn: 20 },
    async inject(scene) {
      const end = await openOthers(pooledUrl(scene), 20)
      scene.proxy.reset()
      await pause(2_000)
      await end()
    },
  },
  {
    id: 'pooler-server-killed',
    title: "PgBouncer's server connections are terminated",
    pooler: POOL,
    async inject({ server }) {
      for (let n = 0; n < 10; n++) {
        await killSessions({ server })
        await pause(50)
      }
    },
  },
  {
    id: 'pooler-server-down',
    title: 'The server behind PgBouncer is down for two seconds',
    pooler: { default_pool_size: 4, server_login_retry: 1 },
    async inject({ server }) {
      await server.kill('SIGINT')
      await pause(2_000)
      await server.restart()
    },
  },
]
