import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { killSessions, misuse } from './actions.ts'

export const processFaults: readonly Fault[] = [
  {
    id: 'event-loop-stall',
    title: "The app's event loop is blocked for three seconds",
    async inject({ app }) {
      app.ask({ type: 'stall', millis: 3_000 })
      await pause(3_200)
    },
  },
  {
    id: 'frozen',
    title: 'The process is frozen for three seconds, and goes on',
    async inject({ app }) {
      app.signal('SIGSTOP')
      await pause(3_000)
      app.signal('SIGCONT')
    },
  },
  {
    id: 'frozen-meanwhile-restart',
    title: 'The process is frozen while the server restarts',
    async inject({ app, server }) {
      app.signal('SIGSTOP')
      await server.restart()
      app.signal('SIGCONT')
    },
  },
  {
    id: 'clock-forward',
    title: 'The wall clock jumps an hour ahead',
    inject: async ({ app }) => app.ask({ type: 'jump-clock', millis: 3_600_000 }),
  },
  {
    id: 'clock-back',
    title: 'The wall clock jumps an hour back',
    inject: async ({ app }) => app.ask({ type: 'jump-clock', millis: -3_600_000 }),
  },
  {
    id: 'sigterm',
    title: 'The process gets SIGTERM under load, and its app ends the pool',
    endsTheApp: true,
    inject: async ({ app }) => app.signal('SIGTERM'),
  },
]

export const callerFaults: readonly Fault[] = [
  {
    id: 'leak',
    title: 'A caller keeps a connection forever',
    keptConnections: 1,
    inject: (scene) => misuse(scene, 'leak'),
  },
  {
    id: 'double-release',
    title: 'A caller releases a connection twice',
    inject: (scene) => misuse(scene, 'double-release'),
  },
  {
    id: 'dirty-release',
    title: 'A caller releases connections with an open transaction, and sessions are terminated',
    async inject({ app, server }) {
      for (let n = 0; n < 10; n++) {
        app.ask({ type: 'misuse', what: 'dirty-release' })
        await pause(20)
        await killSessions({ server })
        await pause(100)
      }
    },
  },
  {
    id: 'pool-deadlock',
    title: 'All connections are held by callers that wait for one more',
    inject: (scene) => misuse(scene, 'deadlock'),
  },
  {
    id: 'huge-result',
    title: 'A result of 300,000 rows',
    async inject({ app }) {
      app.ask({ type: 'run', text: `select n, repeat('x', 100) from generate_series(1, 300000) n` })
      await pause(500)
    },
  },
  {
    id: 'invalid-utf8',
    title: 'A statement with a character that the database cannot store',
    async inject({ app }) {
      app.ask({ type: 'run', text: `insert into ledger (id, part) values (-1, U&'\\0000')` })
      app.ask({ type: 'run', text: `select convert_from('\\xff'::bytea, 'UTF8')` })
      await pause(300)
    },
  },
]
