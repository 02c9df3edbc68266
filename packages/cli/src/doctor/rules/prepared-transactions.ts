import { describeSeconds } from '../../output/describe-seconds.ts'
import { t } from '../../output/translate.ts'
import { lockChains } from '../../sessions/lock-chains.ts'
import { endPrepared } from '../end-prepared.ts'
import type { Rule } from '../rule.ts'

/** A transaction manager commits within seconds. */
const MIN_SECONDS = 60

export const preparedTransactions: Rule = {
  id: 'prepared-transactions',
  title: 'A prepared transaction holds locks without a session',
  severity: 'critical',
  check: ({ server }) => {
    const blocks = server !== undefined && lockChains(server.sessions).some(({ rootPid }) => rootPid === 0)
    const old = (server?.preparedTransactions ?? []).filter(({ ageSeconds }) => blocks || ageSeconds >= MIN_SECONDS)
    const [first] = old
    if (!first) return []
    return [
      {
        evidence:
          old.length === 1
            ? t`A prepared transaction has been open for ${describeSeconds(first.ageSeconds)}: ${first.gid} of ${first.owner} in the database ${first.database}.`
            : t`${old.length} prepared transactions are open, the oldest for ${describeSeconds(first.ageSeconds)}: ${first.gid} of ${first.owner} in the database ${first.database}.`,
        why: t`It keeps its locks after its session has ended, also over a restart of the server, and VACUUM cannot remove rows that it may still see. No list of sessions shows it.`,
        now: old.slice(0, 3).map(endPrepared),
        change: t`If no transaction manager (XA, two-phase commit) uses this server, set max_prepared_transactions = 0. Otherwise let the manager resolve transactions after a crash.`,
        data: { transactions: old },
      },
    ]
  },
}
