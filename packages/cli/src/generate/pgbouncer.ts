import { ConnectionString } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'
import type { Generated } from './generated-file.ts'
import { AUTH_SQL, USERLIST_EXAMPLE } from './pgbouncer-auth.ts'
import { POOLER_PORT, pgBouncerIni } from './pgbouncer-ini.ts'
import type { Place } from './place.ts'
import type { PoolerPlan } from './pooler-plan.ts'

/** The path in PgBouncer's distribution packages. */
const AUTH_FILE = '/etc/pgbouncer/userlist.txt'

/** A PgBouncer in transaction mode for an existing PostgreSQL. */
export function generatePgBouncer(plan: PoolerPlan, place: Place): Generated {
  const { host, port, database, role } = place
  const admin = new ConnectionString({ user: 'postgres', hosts: [{ host, port }], database, parameters: [] })
  return {
    budget: plan.budget,
    files: [
      { path: 'pgbouncer/pgbouncer.ini', content: pgBouncerIni({ plan, place, authFile: AUTH_FILE }) },
      { path: 'pgbouncer/userlist.txt.example', content: USERLIST_EXAMPLE },
      { path: 'pgbouncer/auth.sql', content: AUTH_SQL },
    ],
    next: [
      `psql "${admin.href}" -v password="$PGBOUNCER_PASSWORD" -f pgbouncer/auth.sql`,
      t`Copy pgbouncer.ini and userlist.txt (from the example, with passwords, mode 600) to /etc/pgbouncer, and start PgBouncer.`,
      `PGPASSWORD="$APP_PASSWORD" npx poolguard verify postgresql://${role}@127.0.0.1:${POOLER_PORT}/${database} --expect transaction --prepared`,
    ],
  }
}
