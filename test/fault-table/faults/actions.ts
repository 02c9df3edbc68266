import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { SESSIONS_OF_THE_APP } from '../../harness/index.ts'
import type { Scene } from '../fault.ts'
import type { Misuse } from '../messages.ts'

/** Ends the app's sessions, or those in one state. */
export async function killSessions({ server }: Pick<Scene, 'server'>, state?: string): Promise<void> {
  const condition = state === undefined ? '' : `and state = '${state}'`
  await server.query(`select pg_terminate_backend(pid) from ${SESSIONS_OF_THE_APP} ${condition}`)
}

/** Again and again, every few milliseconds. */
export async function repeat(millis: number, everyMillis: number, action: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + millis
  while (performance.now() < end) {
    await action()
    await pause(everyMillis)
  }
}

/**
 * Other clients that hold connections. Those that cannot connect are left out.
 *
 * @param statement runs on each of them.
 * @returns ends them.
 */
export async function openOthers(url: string, count: number, statement?: string): Promise<() => Promise<unknown>> {
  const clients = Array.from({ length: count }, () => new pg.Client(url))
  for (const client of clients) client.on('error', () => {})
  await Promise.allSettled(
    clients.map(async (client) => {
      await client.connect()
      if (statement !== undefined) await client.query(statement)
    }),
  )
  return () => Promise.allSettled(clients.map((client) => client.end()))
}

/** The callers stop, and go on after the action. */
export async function whilePaused({ app }: Pick<Scene, 'app'>, action: () => Promise<unknown>): Promise<void> {
  app.ask({ type: 'pause' })
  await action()
  app.ask({ type: 'resume' })
}

/** A caller's fault, and some time for its effect. */
export async function misuse({ app }: Pick<Scene, 'app'>, what: Misuse): Promise<void> {
  app.ask({ type: 'misuse', what })
  await pause(500)
}
