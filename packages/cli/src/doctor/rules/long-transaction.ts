import { t } from '../../output/translate.ts'
import { longRunning } from '../long-running.ts'
import type { Rule } from '../rule.ts'

/** From this age on, PgHero lists a query as long running by default. */
const MIN_SECONDS = 60

export const longTransaction: Rule = {
  id: 'long-transaction',
  title: 'A transaction has been open for a long time',
  severity: 'warning',
  check: ({ server }) =>
    longRunning(server, {
      // idle-in-transaction and long-query report sessions whose state has not changed for as long.
      isLong: ({ state, transactionSeconds, stateSeconds, lockWaitSeconds }) =>
        state !== null &&
        lockWaitSeconds === null &&
        (transactionSeconds ?? 0) >= MIN_SECONDS &&
        (stateSeconds ?? 0) < MIN_SECONDS,
      secondsOf: ({ transactionSeconds }) => transactionSeconds ?? 0,
      describe: (count, seconds) =>
        count === 1
          ? t`A transaction has been open for ${seconds}.`
          : t`${count} transactions have been open for more than a minute, the longest for ${seconds}.`,
      why: t`A transaction keeps its connection and its locks, and VACUUM cannot remove rows that it may still see: tables grow and queries become slower.`,
      change: (role) =>
        t`Commit more often: split batches into several transactions. PostgreSQL 17 and later can end long transactions: \`ALTER ROLE ${role} SET transaction_timeout = '30min'\`. It applies to new sessions.`,
    }),
}
