import pg from 'pg'
import type { PreparedTransaction } from '../database/read-held-resources.ts'
import { t } from '../output/translate.ts'
import type { Step } from './rule.ts'

/** Rolls a prepared transaction back. A transaction manager may still want to commit it. */
export function endPrepared({ gid, owner, database }: PreparedTransaction): Step {
  return {
    text: t`If no transaction manager will finish it: roll it back, as ${owner} or a superuser, in the database ${database}.`,
    run: `ROLLBACK PREPARED ${pg.escapeLiteral(gid)};`,
  }
}
