import { PGBOUNCER_CONSOLE } from '@poolguard/core/postgres'
import { t } from '../../output/translate.ts'
import { type Facts, poolerSettings, serverInFiles, settingOf } from '../facts.ts'
import type { Finding, Rule } from '../rule.ts'

/** The other 30 % are for sessions that bypass the pooler: people, migrations, replication, other services. */
const SHARE = 0.7

export const poolerExceedsLimits: Rule = {
  id: 'pooler-exceeds-limits',
  title: "PgBouncer's pools add up to more connections than they may have",
  severity: 'warning',
  check: (facts) => {
    const settings = poolerSettings(facts)
    if (!settings) return []
    const reserve = settingOf(settings, 'reserve_pool_size') ?? 0
    const each = (settingOf(settings, 'default_pool_size') ?? 20) + reserve
    const pairs = poolsOf(facts) ?? settings.databases
    const total = each * pairs
    const sum =
      pairs === 1
        ? t`${each} (default_pool_size and reserve_pool_size) x 1 pool for each database and user = ${total}`
        : t`${each} (default_pool_size and reserve_pool_size) x ${pairs} pools for each database and user = ${total}`
    const perDatabase = settingOf(settings, 'max_db_connections') ?? 0
    const maxConnections = facts.server?.capacity.maxConnections ?? serverInFiles(facts)?.maxConnections.value
    const findings: Finding[] = []
    if (perDatabase > 0 && total > perDatabase * settings.databases) {
      findings.push({
        evidence:
          settings.databases === 1
            ? t`${sum}, and max_db_connections = ${perDatabase} for 1 database (${settings.source}).`
            : t`${sum}, and max_db_connections = ${perDatabase} for ${settings.databases} databases (${settings.source}).`,
        why: t`One pool can use up the connections of another: clients wait until query_wait_timeout although their own pool is not full.`,
        change: withinDatabaseLimit(
          sizeFor((perDatabase * settings.databases) / pairs),
          Math.ceil(total / settings.databases),
          reserve > 0,
        ),
        data: { pools: pairs, connections: total, maxDbConnections: perDatabase, databases: settings.databases },
      })
    }
    const bounded = perDatabase > 0 ? Math.min(total, perDatabase * settings.databases) : total
    if (maxConnections !== undefined && bounded > maxConnections * SHARE) {
      findings.push({
        evidence:
          bounded < total
            ? t`${sum}, limited to ${bounded} by max_db_connections (${settings.source}), more than 70 % of max_connections = ${maxConnections}.`
            : t`${sum} (${settings.source}), more than 70 % of max_connections = ${maxConnections}.`,
        why: t`Migrations, people and services that bypass the pooler find the server full.`,
        change:
          bounded < total
            ? t`Set max_db_connections to ${sizeFor((maxConnections * SHARE) / settings.databases)}, or max_connections to ${Math.ceil(bounded / SHARE)}.`
            : withinServerLimit(sizeFor((maxConnections * SHARE) / pairs), Math.ceil(bounded / SHARE), reserve > 0),
        data: { pools: pairs, connections: bounded, maxConnections },
      })
    }
    return findings
  },
}

function sizeFor(share: number): number {
  return Math.max(1, Math.floor(share))
}

function withinDatabaseLimit(size: number, limit: number, hasReserve: boolean): string {
  return hasReserve
    ? t`Set default_pool_size and reserve_pool_size to ${size} together or less, or max_db_connections to ${limit}.`
    : t`Set default_pool_size to ${size} or less, or max_db_connections to ${limit}.`
}

function withinServerLimit(size: number, limit: number, hasReserve: boolean): string {
  return hasReserve
    ? t`Set default_pool_size and reserve_pool_size to ${size} together, or max_connections to ${limit}.`
    : t`Set default_pool_size to ${size}, or max_connections to ${limit}.`
}

/** Pairs of database and user that have a pool now; undefined if the console did not answer. */
function poolsOf({ pooler }: Facts): number | undefined {
  // auth_user only looks up passwords: it needs a connection now and then, not a whole pool.
  const lookups = pooler?.config.get('auth_user')?.value
  const pools = pooler?.pools.filter(({ database, user }) => database !== PGBOUNCER_CONSOLE && user !== lookups)
  return pools && Math.max(1, pools.length)
}
