import { t } from '../../output/translate.ts'
import { longRunning } from '../long-running.ts'
import type { Rule } from '../rule.ts'

/** From this age on, PgHero lists a query as long running by default. */
const MIN_SECONDS = 60

export const longQuery: Rule = {
  id: 'long-query',
  title: 'A query has been running for a long time',
  severity: 'warning',
  check: ({ server }) =>
    longRunning(server, {
      // A query that waits for a lock is a matter of blocking-lock.
      isLong: ({ state, querySeconds, lockWaitSeconds }) =>
        state === 'active' && lockWaitSeconds === null && (querySeconds ?? 0) >= MIN_SECONDS,
      secondsOf: ({ querySeconds }) => querySeconds ?? 0,
      describe: (count, seconds) =>
        count === 1
          ? t`A query has been running for ${seconds}.`
          : t`${count} queries have been running for more than a minute, the longest for ${seconds}.`,
      why: t`Each one keeps a connection. If its client is gone already, the server works for nothing.`,
      change: (role) =>
        t`Give queries a limit: \`ALTER ROLE ${role} SET statement_timeout = '5min'\`. It applies to new sessions; give jobs that need longer a role of their own.`,
    }),
}
