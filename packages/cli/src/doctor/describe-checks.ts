import { describeTopology } from '@poolguard/core'
import { describeAddress } from '@poolguard/core/postgres'
import pg from 'pg'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import { clientSessions, isHidden } from '../sessions/session.ts'
import { describeProject } from './describe-project.ts'
import type { Facts } from './facts.ts'

/** One line for each thing that doctor checked or could not check. Contains no password. */
export function describeChecks(facts: Facts): readonly string[] {
  const { target, otherTargets, sqlite, server, unreached, pooler, app } = facts
  const lines = [
    sqlite
      ? t`Database: the SQLite file ${sqlite.shown} (${sqlite.source}). SQLite has no server and no connections to count.`
      : target
        ? t`Database: ${describeAddress(target.url)} (${target.source})`
        : t`Database: none configured (pass a URL, or set DATABASE_URL or PGHOST).`,
  ]
  if (server)
    lines.push(t`Connected: PostgreSQL ${server.version}; ${translateFromCore(describeTopology(server.topology))}.`)
  const unseen = server ? clientSessions(server.sessions).filter(isHidden) : []
  if (server && unseen.length > 0) {
    const roles = [...new Set(unseen.map(({ role }) => role))]
    lines.push(
      t`${server.role} cannot see the client, state and query of ${unseen.length} sessions of other roles (${roles.join(', ')}). To see them, as a superuser: GRANT pg_read_all_stats TO ${pg.escapeIdentifier(server.role)};`,
    )
  }
  if (unreached) lines.push(t`Cannot connect: ${unreached.message}. Only the checks that need no connection ran.`)
  if (pooler) lines.push(t`PgBouncer ${pooler.version}: read its settings and pools from the console.`)
  if (app?.error !== undefined) lines.push(t`Cannot read the pools of the app at ${app.url}: ${app.error}.`)
  else if (app) lines.push(t`App: read the insight of ${app.pools.length} pools at ${app.url}.`)
  const others = otherTargets.filter(({ isCurrent }) => isCurrent)
  if (others.length > 0) {
    const list = others.map(({ url, source }) => `${describeAddress(url)} (${source})`).join('; ')
    lines.push(t`Other databases of this project, not connected to: ${list}.`)
  }
  return [...lines, ...describeProject(facts)]
}
