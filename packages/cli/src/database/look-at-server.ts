import {
  CAPACITY_QUERY,
  type Capacity,
  type ConnectFailure,
  type ConnectionString,
  classifyConnectFailure,
  type DatabaseLoad,
  redact,
  SIZING_QUERY,
  type Topology,
  USAGE_QUERY,
  type UsageRow,
} from '@poolguard/core'
import { contact, type Pool } from './contact.ts'
import { OPEN_SLOTS_QUERY, type OpenSlots } from './open-slots.ts'
import type { ApplicationSessions, ServerFacts, Unreached } from './server-facts.ts'

const APPLICATION = 'poolguard doctor'

const SETTINGS_QUERY = `
select current_setting('server_version') as "version", session_user as "role", current_database() as "database",
       (select rolsuper from pg_catalog.pg_roles where rolname = session_user) as "superuser",
       (select setting::int from pg_catalog.pg_settings where name = 'idle_in_transaction_session_timeout') as "idleInTransactionTimeoutMillis",
       exists (select from pg_catalog.pg_db_role_setting, unnest(setconfig) as line
                where setrole not in (select oid from pg_catalog.pg_roles where rolname = session_user union select 0) and line ~ '^idle_in_transaction_session_timeout=.*[1-9]'
                  and setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database())))
         as "boundsOtherRoles",
       pg_has_role(session_user, 'pg_read_all_stats', 'usage') as "seesAll"`

const APPLICATIONS_QUERY = `
select coalesce(application_name, '') as "application", usename as "role", count(*)::int as "sessions",
       count(*) filter (where state = 'idle' and state_change < now() - interval '10 minutes')::int as "longIdle",
       count(*) filter (where state like 'idle in transaction%' and state_change < now() - interval '10 seconds')::int as "idleInTransaction",
       coalesce(extract(epoch from max(clock_timestamp() - state_change) filter (where state like 'idle in transaction%')), 0)::float8
         as "longestIdleInTransactionSeconds"
  from pg_catalog.pg_stat_activity
 where datname is not null and usename is not null and pid <> pg_backend_pid()
   and application_name is distinct from '${APPLICATION}' and coalesce(backend_type, 'client backend') = 'client backend'
 group by 1, 2
 order by 3 desc, 1, 2`

/** Looks at a database with two connections at most, for a moment. Never rejects for a database that cannot be reached. */
export async function lookAtServer(url: ConnectionString): Promise<ServerFacts | Unreached> {
  await using database = contact(url, { applicationName: APPLICATION, max: 2 })
  try {
    const topology = await database.reach()
    return await readFacts(database.pool, topology)
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
  return { failure, message: redact(reason instanceof Error ? reason.message : String(reason)) }
}
