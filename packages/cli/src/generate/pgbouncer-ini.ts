import type { Place } from './place.ts'
import type { PoolerPlan } from './pooler-plan.ts'

export interface IniInput {
  readonly plan: PoolerPlan
  readonly place: Place
  /** Where the passwords are that PgBouncer needs for itself. */
  readonly authFile: string
}

/** PgBouncer's role in PostgreSQL, which looks up the app's password; on its console it may do everything. */
export const LOOKUP_ROLE = 'pgbouncer'
/** May look at PgBouncer's figures, and nothing else. */
export const STATS_USER = 'pgbouncer_stats'
/** Its name in compose's network. */
export const POOLER_HOST = 'pgbouncer'
export const POOLER_PORT = 6432

const DOCS = 'https://www.pgbouncer.org/config.html'

/** How the app reaches it: PgBouncer speaks no TLS to its clients here, and knows nothing of what else a URL says of that. */
export function poolerPlace({ parameters }: Place): Pick<Place, 'host' | 'port' | 'parameters'> {
  return { host: POOLER_HOST, port: POOLER_PORT, parameters: parameters.filter(([name]) => name === 'schema') }
}

/** A `pgbouncer.ini` for PgBouncer 1.21 and later, which says the reason for each value. */
export function pgBouncerIni({ plan, place, authFile }: IniInput): string {
  const { host, port, database } = place
  return [
    '; Made by `poolguard generate`, for PgBouncer 1.21 or later (max_prepared_statements; from 1.24 on it is on by default).',
    `; What each setting means: ${DOCS}`,
    '',
    '[databases]',
    '; Only what is named can be connected to.',
    `${database} = host=${host} port=${port} dbname=${database}`,
    '',
    '[pgbouncer]',
    ...where(authFile, database),
    ...sizes(plan),
    ...behaviour(),
    '',
  ].join('\n')
}

function where(authFile: string, database: string): string[] {
  return [
    '; All addresses, for clients on other machines or in other containers; 127.0.0.1 where there are none.',
    'listen_addr = *',
    `listen_port = ${POOLER_PORT}`,
    'unix_socket_dir =',
    '',
    "; Clients log in with their PostgreSQL password. Only PgBouncer's own two users stand in a file: it asks PostgreSQL for",
    '; the rest, through a function (auth.sql). https://www.pgbouncer.org/config.html#auth_query',
    'auth_type = scram-sha-256',
    `auth_file = ${authFile}`,
    `auth_user = ${LOOKUP_ROLE}`,
    `auth_dbname = ${database}`,
    `auth_query = SELECT username, password FROM ${LOOKUP_ROLE}.get_auth($1)`,
    '; The console (database pgbouncer): RELOAD, PAUSE and the like for the first, SHOW for the second.',
    `admin_users = ${LOOKUP_ROLE}`,
    `stats_users = ${STATS_USER}`,
    '',
  ]
}

function sizes({ maxClients, poolSize, reservePoolSize, maxDbConnections, budget }: PoolerPlan): string[] {
  return [
    '; The plan:',
    ...budget.steps.map((step) => `;   ${step}`),
    '',
    '; A server connection belongs to a client for a transaction only.',
    'pool_mode = transaction',
    '; Server connections of one user in one database, and those that come on top when clients wait for three seconds.',
    '; Bigger is not better: `poolguard plan --explain --cores 4` says how many a server can keep at work.',
    `default_pool_size = ${poolSize}`,
    `reserve_pool_size = ${reservePoolSize}`,
    'reserve_pool_timeout = 3',
    '; All together, whoever the user is, the one that looks up passwords included. The rest is for those who go past PgBouncer.',
    `max_db_connections = ${maxDbConnections}`,
    `; ${budget.pools} pools of ${budget.maxPerPool}, and some for people and probes. It needs as many open files: ulimit -n.`,
    `max_client_conn = ${maxClients}`,
    '',
  ]
}

function behaviour(): string[] {
  return [
    '; Named statements work in transaction mode, up to so many on a server connection. 200 is the default from 1.24 on.',
    'max_prepared_statements = 200',
    '; After an hour a server connection is replaced between two transactions, so that memory and routes do not grow old.',
    'server_lifetime = 3600',
    '; What was not used for ten minutes is closed: the night gives connections back.',
    'server_idle_timeout = 600',
    '; Who waits longer than this for a server connection gets an error. Apps have given up by then; the default is 120.',
    'query_wait_timeout = 30',
    '; ignore_startup_parameters is left out: drivers of Node send none that PgBouncer refuses, and what is listed there is',
    '; dropped without a word. Set such things in PostgreSQL: ALTER ROLE ... SET ...',
  ]
}
