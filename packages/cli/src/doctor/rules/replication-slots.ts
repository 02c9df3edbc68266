import pg from 'pg'
import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'
import { SAFE_PATH } from '../safe-path.ts'

export const replicationSlots: Rule = {
  id: 'replication-slots',
  title: 'A replication slot without a consumer keeps WAL',
  severity: 'warning',
  check: ({ server }) =>
    (server?.inactiveSlots ?? []).map(({ name, kind, database, retainedBytes, holdsRows }) => ({
      evidence: t`The ${kind} slot ${name} is inactive, and the server keeps ${megabytes(retainedBytes)} MB of WAL for it${holdsRows ? t`, and rows that VACUUM could remove` : ''}.`,
      why: t`The WAL grows until the disk is full, and the server then stops: every connection is lost.`,
      now: [
        {
          text: t`If no standby or subscriber will come back to it: drop it, as a superuser or a role with REPLICATION.`,
          run: `${SAFE_PATH} select pg_drop_replication_slot(${pg.escapeLiteral(name)});`,
        },
      ],
      change: t`Drop the slot together with its standby or subscription, and set max_slot_wal_keep_size (such as 10GB), which limits what an abandoned slot keeps.`,
      data: { slot: name, kind, database, retainedBytes, holdsRows },
    })),
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000)
}
