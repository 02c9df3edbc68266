import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresServer } from './postgres-server.ts'

/** The app's sessions, after `from`. */
export const SESSIONS_OF_THE_APP = `pg_stat_activity where usename = 'app'`

/** How many sessions the app has on a server. */
export async function countSessions(server: PostgresServer): Promise<number> {
  const [row] = await server.query<{ count: number }>(`select count(*)::int as count from ${SESSIONS_OF_THE_APP}`)
  return row?.count ?? 0
}

/** Counts the app's sessions again and again; `end` resolves to the most at any moment. */
export function watchSessions(server: PostgresServer, everyMillis: number): { end(): Promise<number> } {
  let peak = 0
  let watching = true
  const done = (async () => {
    while (watching) {
      peak = Math.max(peak, await countSessions(server).catch(() => 0))
      await pause(everyMillis)
    }
  })()
  return {
    async end() {
      watching = false
      await done
      return peak
    },
  }
}
