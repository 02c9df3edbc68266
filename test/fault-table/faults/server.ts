import { setTimeout as pause } from 'node:timers/promises'
import { appRole } from '../../harness/credentials.ts'
import { SESSIONS_OF_THE_APP } from '../../harness/index.ts'
import type { Fault, Scene } from '../fault.ts'
import { killSessions, openOthers, repeat, whilePaused } from './actions.ts'

/** Of idle sessions and transactions: on a busy machine, an app that works may pause for some hundred milliseconds. */
const TIMEOUT_MILLIS = 2_000

export const sessionFaults: readonly Fault[] = [
  {
    id: 'idle-killed',
    title: 'Idle sessions are terminated',
    inject: (scene) =>
      whilePaused(scene, async () => {
        await pause(200)
        await killSessions(scene)
        await pause(100)
      }),
  },
  { id: 'all-killed', title: 'All sessions are terminated under load', inject: (scene) => killSessions(scene) },
  {
    id: 'transactions-killed',
    title: 'Sessions with an open transaction are terminated',
    inject: (scene) => repeat(500, 20, () => killSessions(scene, 'idle in transaction')),
  },
  {
    id: 'killed-while-connecting',
    title: 'Sessions are terminated as soon as they appear',
    inject: (scene) => repeat(1_000, 2, () => killSessions(scene)),
  },
  {
    id: 'all-cancelled',
    title: 'All statements are cancelled',
    inject: ({ server }) =>
      repeat(500, 10, () => server.query(`select pg_cancel_backend(pid) from ${SESSIONS_OF_THE_APP}`)),
  },
  {
    id: 'statement-timeout',
    title: 'Statements run into statement_timeout',
    setup: `alter role app set statement_timeout = '200ms'`,
    inject: lockTable,
  },
  {
    id: 'lock-timeout',
    title: 'Statements run into lock_timeout',
    setup: `alter role app set lock_timeout = '100ms'`,
    inject: lockTable,
  },
  {
    id: 'idle-in-transaction-timeout',
    title: 'A transaction runs into idle_in_transaction_session_timeout',
    setup: `alter role app set idle_in_transaction_session_timeout = '${TIMEOUT_MILLIS}ms'`,
    async inject({ app }) {
      app.ask({ type: 'dawdle', millis: TIMEOUT_MILLIS + 500 })
      await pause(TIMEOUT_MILLIS + 1_000)
    },
  },
  {
    id: 'idle-session-timeout',
    title: 'Idle sessions run into idle_session_timeout',
    setup: `alter role app set idle_session_timeout = '${TIMEOUT_MILLIS}ms'`,
    inject: (scene) => whilePaused(scene, () => pause(TIMEOUT_MILLIS + 500)),
  },
  { id: 'lock-storm', title: 'A table lock stops all writes for two seconds', inject: lockTable },
  {
    id: 'ddl-under-load',
    title: 'Columns are added and dropped under load',
    inject: ({ server }) =>
      repeat(1_000, 20, () =>
        server.query('alter table ledger add column if not exists note text; alter table ledger drop column note'),
      ),
  },
]

async function lockTable({ server }: Scene): Promise<void> {
  await server.query(`begin; lock table ledger in access exclusive mode; select pg_sleep(2); commit`)
}

export const serverFaults: readonly Fault[] = [
  { id: 'restart-fast', title: 'The server is restarted (fast)', inject: ({ server }) => server.restart() },
  {
    id: 'restart-immediate',
    title: 'The server is stopped as in a crash, and started again',
    async inject({ server }) {
      await server.kill('SIGQUIT')
      await server.restart()
    },
  },
  {
    id: 'server-killed',
    title: 'The server is killed, and started again',
    async inject({ server }) {
      await server.kill('SIGKILL')
      await server.restart()
    },
  },
  {
    id: 'crash-recovery',
    title: 'A server process is killed (as for lack of memory): all sessions end, and the server recovers',
    async inject({ server }) {
      const [row] = await server.query<{ pid: number }>(`select pid from ${SESSIONS_OF_THE_APP} limit 1`)
      if (row) process.kill(row.pid, 'SIGKILL')
      await pause(500)
    },
  },
  {
    id: 'server-down',
    title: 'The server is down for three seconds',
    async inject({ server }) {
      await server.kill('SIGINT')
      await pause(3_000)
      await server.restart()
    },
  },
  {
    id: 'server-full',
    title: 'All connections of the server are taken for three seconds',
    settings: { max_connections: 25 },
    async inject(scene) {
      const end = await openOthers(scene.server.adminUrl, 19)
      await killSessions(scene)
      const [late] = await Promise.all([openOthers(scene.server.adminUrl, 3), pause(3_000)])
      await Promise.all([end(), late()])
    },
  },
  {
    id: 'role-full',
    title: 'The role has reached its connection limit for two seconds',
    async inject(scene) {
      await limitAndKill(scene, 'alter role app connection limit 1', 'alter role app connection limit -1')
    },
  },
  {
    id: 'database-full',
    title: 'The database has reached its connection limit for two seconds',
    async inject(scene) {
      await limitAndKill(scene, 'alter database app connection limit 1', 'alter database app connection limit -1')
    },
  },
  {
    id: 'connection-storm',
    title: 'Sixty other clients connect and leave for two seconds',
    settings: { max_connections: 80 },
    inject: (scene) => repeat(2_000, 10, async () => (await openOthers(scene.server.adminUrl, 60))()),
  },
  {
    id: 'read-only',
    title: 'The server becomes read-only for two seconds',
    async inject({ server }) {
      await server.query(`alter system set default_transaction_read_only = on`)
      await server.query('select pg_reload_conf()')
      await pause(2_000)
      await server.query('alter system reset default_transaction_read_only')
      await server.query('select pg_reload_conf()')
    },
  },
  {
    id: 'disk-full',
    title: 'The disk is full for a second',
    imitated: 'a trigger raises 53100',
    async inject({ server }) {
      await server.query(`create function full_disk() returns trigger language plpgsql as $$ begin raise sqlstate '53100' using message = 'could not extend file: No space left on device'; end $$;
      create trigger full_disk before insert on ledger execute function full_disk()`)
      await pause(1_000)
      await server.query('drop function full_disk cascade')
    },
  },
  {
    id: 'password-changed',
    title: 'The password is changed for two seconds, and the sessions end',
    async inject(scene) {
      await limitAndKill(scene, `alter role app password 'another'`, `alter role app password '${appRole.password}'`)
    },
  },
  {
    id: 'login-forbidden',
    title: 'The role may not log in for two seconds, and its sessions end',
    async inject(scene) {
      await limitAndKill(scene, 'alter role app nologin', 'alter role app login')
    },
  },
]

async function limitAndKill(scene: Scene, limit: string, undo: string): Promise<void> {
  await scene.server.query(limit)
  await killSessions(scene)
  await pause(2_000)
  await scene.server.query(undo)
}
