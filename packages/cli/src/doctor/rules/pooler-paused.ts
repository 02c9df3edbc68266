import pg from 'pg'
import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

export const poolerPaused: Rule = {
  id: 'pooler-paused',
  title: 'PgBouncer has paused a database',
  severity: 'critical',
  check: ({ pooler }) =>
    (pooler?.databases ?? [])
      .filter(({ paused }) => paused)
      .map(({ name }) => {
        const waiting = sumOf(
          pooler?.pools.filter(({ database }) => database === name).map((pool) => pool.clientsWaiting),
        )
        return {
          evidence: t`${name} is paused (SHOW DATABASES), and ${waiting} clients wait.`,
          why: t`PAUSE keeps every query waiting until RESUME; clients fail after query_wait_timeout. It is meant for a restart or a switch of the server, and a user or a script has not resumed it.`,
          now: [
            { text: t`On PgBouncer's console, as a user in admin_users:`, run: `RESUME ${pg.escapeIdentifier(name)};` },
            {
              text: t`If clients still wait then, PgBouncer waits for server_login_retry (15 s). To retry now (RELOAD restores the setting):`,
              run: 'SET server_login_retry = 1;',
            },
          ],
          change: t`Let the script that runs PAUSE run RESUME in every case, also when a step between them fails.`,
          data: { database: name, waiting },
        }
      }),
}

function sumOf(numbers: readonly number[] = []): number {
  return numbers.reduce((sum, each) => sum + each, 0)
}
