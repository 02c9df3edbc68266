import { describeAddress } from '@poolguard/core/postgres'
import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

export const cannotConnect: Rule = {
  id: 'cannot-connect',
  title: 'Connecting to the database fails',
  severity: 'critical',
  check: ({ unreached, target }) => {
    // server-full reports the limits.
    if (!target || !unreached?.help || unreached.failure === 'full') return []
    const { cause, meaning, now, remedy, page } = unreached.help
    return [
      {
        evidence: t`${describeAddress(target.url)} (${target.source}): ${unreached.message}.`,
        why: meaning,
        now,
        change: t`${remedy} See ${page}`,
        data: { cause, message: unreached.message, page },
      },
    ]
  },
}
