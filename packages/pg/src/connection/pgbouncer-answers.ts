/** PgBouncer's console and readers of its answers. A module of its own, because it is loaded when a console is opened. */
export {
  PGBOUNCER_CONSOLE,
  readPgBouncerClients,
  readPgBouncerConfig,
  readPgBouncerDatabases,
  readPgBouncerLists,
  readPgBouncerPools,
  readPgBouncerStats,
  readPgBouncerVersion,
} from '@poolguard/core/connection'
