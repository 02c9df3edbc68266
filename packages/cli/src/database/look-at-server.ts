import { type ConnectFailure, redact, type Topology } from '@poolguard/core'
import {
  CAPACITY_QUERY,
  type Capacity,
  type ConnectionString,
  classifyConnectFailure,
  type DatabaseLoad,
  SIZING_QUERY,
  USAGE_QUERY,
  type UsageRow,
} from '@poolguard/core/postgres'
import { withPlainTexts } from '../output/printable.ts'
import { contact, type Pool } from './contact.ts'
import { OPEN_SLOTS_QUERY, type OpenSlots } from './open-slots.ts'
import type { ApplicationSessions, ServerFacts, Unreached } from './server-facts.ts'

const APPLICATION = 'poolguard doctor'

const SETTINGS_QUERY = `
select pg_catalog.current_setting('server_version') as "version", session_user as "role",
       database.datname as "database", role.rolsuper as "superuser",
       (select setting::int from pg_catalog.pg_settings
         where name operator(pg_catalog.=) 'idle_in_transaction_session_timeout') as "idleInTransactionTimeoutMillis",
       exists (select from pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) as line
                where setrole operator(pg_catalog.<>) 0 and setrole operator(pg_catalog.<>) role.oid
                  and (setdatabase operator(pg_catalog.=) 0 or setdatabase operator(pg_catalog.=) database.oid)
                  and line operator(pg_catalog.~) '^idle_in_transaction_session_timeout=.*[1-9]') as "boundsOtherRoles",
       pg_catalog.pg_has_role(session_user, 'pg_read_all_stats', 'usage') as "seesAll"
  from pg_catalog.pg_roles role, pg_catalog.pg_database database
 where role.rolname operator(pg_catalog.=) session_user and database.datname operator(pg_catalog.=) pg_catalog.current_database()`

const APPLICATIONS_QUERY = `
select application as "application", usename as "role", pg_catalog.count(*)::int as "sessions",
       pg_catalog.count(*) filter (where state operator(pg_catalog.=) 'idle' and unchanged operator(pg_catalog.>) interval '10 minutes')::int as "longIdle",
       pg_catalog.count(*) filter (where in_transaction and unchanged operator(pg_catalog.>) interval '10 seconds')::int as "idleInTransaction",
       coalesce(extract(epoch from pg_catalog.max(unchanged) filter (where in_transaction)), 0)::double precision
         as "longestIdleInTransactionSeconds"
  from (select coalesce(application_name, '') as application, usename, state,
               pg_catalog.clock_timestamp() operator(pg_catalog.-) state_change as unchanged,
               pg_catalog.starts_with(state, 'idle in transaction') as in_transaction
          from pg_catalog.pg_stat_activity
         where datname is not null and usename is not null and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
           and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend') sessions
 where application operator(pg_catalog.<>) '${APPLICATION}'
 group by 1, 2
 order by 3 desc, 1, 2`

/** Looks at a database with two connections at most, for a moment. Never rejects for a database that cannot be reached. */
export async function lookAtServer(url: ConnectionString): Promise<ServerFacts | Unreached> {
  await using database = contact(url, { applicationName: APPLICATION, max: 2 })
  try {
    const topology = await database.reach()
    return withPlainTexts(await readFacts(database.pool, topology))
  } catch (error) {
    return unreached(error)
  }
}

async function readFacts(pool: Pool, topology: Topology): Promise<ServerFacts> {
  const ask = async <Row>(query: string) => (await pool.query(query)).rows as Row[]
  const [settings] =
    await ask<Omit<ServerFacts, 'topology' | 'capacity' | 'openSlots' | 'usage' | 'load' | 'applications'>>(
      SETTINGS_QUERY,
    )
  const [capacity] = await ask<Capacity>(CAPACITY_QUERY)
  const [slots] = await ask<OpenSlots>(OPEN_SLOTS_QUERY)
  if (!settings || !capacity || !slots) throw new Error('the server did not tell its limits')
  const usage = await ask<UsageRow>(USAGE_QUERY)
  return {
    ...settings,
    ...slots,
    topology,
    capacity,
    usage: usage.filter(({ application }) => application !== APPLICATION),
    applications: await ask<ApplicationSessions>(APPLICATIONS_QUERY),
    load: (await ask<DatabaseLoad>(SIZING_QUERY).catch(() => []))[0],
  }
}

function unreached(error: unknown): Unreached {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const failure: ConnectFailure = classifyConnectFailure(cause)
  // Several addresses that all refuse are an AggregateError without a text.
  const reason = cause instanceof AggregateError ? cause.errors[0] : cause
  return { failure, message: withPlainTexts(redact(reason instanceof Error ? reason.message : String(reason))) }
}
