export { ConnectionString, type ConnectionStringParts, type HostAddress, type Parameter } from './connection-string.ts'
export {
  ConnectionStringError,
  type ConnectionStringErrorOptions,
  type ConnectionStringPart,
} from './connection-string-error.ts'
export type { ConnectionWishes } from './connection-wishes.ts'
export { connectionFromEnvironment, type EnvironmentConnection } from './environment.ts'
export type { Environment, EnvironmentPool } from './environment-pool.ts'
export type { EnvironmentWarning, EnvironmentWarningCode } from './environment-warning.ts'
export { directUrlFor, guessProvider, type ProviderAssumption } from './guess-provider.ts'
export { parseConnectionString } from './parse.ts'
export type { AssumedEndpoint, DirectUrl } from './provider.ts'
export { redact } from './redact.ts'
export { describeRewriteWarning, type RewriteWarning, type RewriteWarningCode } from './rewrite-warning.ts'
export type { RewrittenUrl } from './rewritten-url.ts'
export { settleTarget } from './settle-target.ts'
export type { ReadCertificate, TlsOptions } from './tls-options.ts'
export { toLibpq } from './to-libpq.ts'
export { type PgOptions, type PgRewriting, toPg } from './to-pg.ts'
export { type PostgresJsOptions, type PostgresJsRewriting, toPostgresJs } from './to-postgres-js.ts'
export { toPrismaEngine } from './to-prisma-engine.ts'
export type { TopologyTraits } from './topology-traits.ts'
export { wishesOf } from './wish-parameters.ts'
