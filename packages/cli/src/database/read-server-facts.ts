import type { ConnectFailure, Topology } from '@poolguard/core'
import {
  CAPACITY_QUERY,
  CAPACITY_SOURCE,
  type ConnectionString,
  classifyConnectFailure,
  InvalidAnswerError,
  type RowReader,
  readCapacity,
  readLoad,
  readOneRow,
  readRows,
  SIZING_QUERY,
} from '@poolguard/core/postgres'
import { describeConnectError, originOf } from '../connect-errors/cannot-connect.ts'
import { withPlainTexts } from '../output/printable.ts'
import { contact, type Pool } from './contact.ts'
import { findLocalHolders } from './find-local-processes.ts'
import { OPEN_SLOTS_QUERY, readOpenSlots } from './open-slots.ts'
import {
  PREPARED_TRANSACTIONS_QUERY,
  REPLICATION_SLOTS_QUERY,
  readPreparedTransaction,
  readReplicationSlot,
} from './read-held-resources.ts'
import { readLimits } from './read-limits.ts'
import { readSessions } from './read-sessions.ts'
import type { ServerFacts, Unreached } from './server-facts.ts'

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

export interface ReadOptions {
  /** Default true. Queries may hold data. */
  readonly showsQueries?: boolean | undefined
  /** Gives up and closes the connections. */
  readonly signal?: AbortSignal | undefined
}

/** Reads a database's limits and sessions with at most two connections. Resolves with {@link Unreached} if it cannot connect. */
export async function readServerFacts(
  url: ConnectionString,
  { showsQueries = true, signal }: ReadOptions = {},
): Promise<ServerFacts | Unreached> {
  await using database = contact(url, { applicationName: APPLICATION, max: 2 })
  signal?.addEventListener('abort', () => void database[Symbol.asyncDispose](), { once: true })
  try {
    const topology = await database.reach()
    return withPlainTexts(await readFacts(database.pool, topology, showsQueries))
  } catch (error) {
    return withLocalHolders(unreached(url, error), url)
  }
}

/** A full server says nothing, but this machine knows which of its processes are connected. */
async function withLocalHolders(failed: Unreached, url: ConnectionString): Promise<Unreached> {
  const [first] = url.hosts
  if (failed.failure !== 'full' || !first) return failed
  return { ...failed, localHolders: withPlainTexts(await findLocalHolders(first.host, first.port ?? 5_432)) }
}

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
async function readFacts(pool: Pool, topology: Topology, showsQueries: boolean): Promise<ServerFacts> {
  const ask = async (query: string): Promise<unknown> => (await pool.query(query)).rows
  const settings = readOneRow('the query for the settings', await ask(SETTINGS_QUERY), readSettings)
  const capacity = readOneRow(CAPACITY_SOURCE, await ask(CAPACITY_QUERY), readCapacity)
  const slots = readOneRow('the query for open slots', await ask(OPEN_SLOTS_QUERY), readOpenSlots)
  const { sessions, unlisted, readAtSeconds } = await readSessions(pool, { showsQueries })
  const limits = await readLimits(pool)
  const prepared = await ask(PREPARED_TRANSACTIONS_QUERY)
  const replication = await ask(REPLICATION_SLOTS_QUERY).catch(() => [])
  const loads = readRows('the query for the load', await ask(SIZING_QUERY).catch(() => []), readLoad)
  return {
    ...settings,
    ...slots,
    topology,
    capacity,
    sessions: sessions.filter(({ application }) => application !== APPLICATION),
    unlisted,
    readAtSeconds,
    limits,
    preparedTransactions: readRows('the query for prepared transactions', prepared, readPreparedTransaction),
    inactiveSlots: readRows('the query for replication slots', replication, readReplicationSlot),
    load: loads[0],
  }
}

type Settings =
  | 'version'
  | 'role'
  | 'database'
  | 'superuser'
  | 'idleInTransactionTimeoutMillis'
  | 'boundsOtherRoles'
  | 'seesAll'

function readSettings(row: RowReader): Pick<ServerFacts, Settings> {
  return {
    version: row.text('version'),
    role: row.text('role'),
    database: row.text('database'),
    superuser: row.flag('superuser'),
    idleInTransactionTimeoutMillis: row.integer('idleInTransactionTimeoutMillis'),
    boundsOtherRoles: row.flag('boundsOtherRoles'),
    seesAll: row.flag('seesAll'),
  }
}

function unreached(url: ConnectionString, error: unknown): Unreached {
  const cause = originOf(error)
  const failure: ConnectFailure = classifyConnectFailure(cause)
  if (cause instanceof InvalidAnswerError) return { failure, message: cause.problem }
  return { failure, ...describeConnectError(url, cause) }
}
