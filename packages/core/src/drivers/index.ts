export type { DriverContext } from './driver-context.ts'
export type { ConnectionSettings } from './neutral/connection-settings.ts'
export { wholeMillis } from './neutral/durations.ts'
export { hideSecrets } from './neutral/hide-secrets.ts'
export { type Reading, readConnection } from './neutral/reading.ts'
export { parseStartupOptions, printStartupOptions } from './neutral/startup-options.ts'
export { readChannelBinding } from './neutral/tls-intent.ts'
export type { ReadCertificate, TlsOptions } from './neutral/tls-options.ts'
export { readPoolParameters, type UrlSetting } from './neutral/url-settings.ts'
export { type PgDriverOptions, type PgDriverRewriting, pgDriverOptions } from './pg/driver-options.ts'
export { type PgOptions, type PgRewriting, toPg } from './pg/to-pg.ts'
export {
  type PostgresJsDriverOptions,
  type PostgresJsDriverRewriting,
  postgresJsDriverOptions,
} from './postgres-js/driver-options.ts'
export { type PostgresJsOptions, type PostgresJsRewriting, toPostgresJs } from './postgres-js/to-postgres-js.ts'
export { toPrismaEngine } from './prisma-engine/to-prisma-engine.ts'
export { readCertificate } from './read-certificate.ts'
export {
  describeRewriteWarning,
  type RewriteWarning,
  type RewriteWarningCode,
  type RewritingReport,
  type RewrittenUrl,
} from './rewriting.ts'
export { watchCertificates } from './watch-certificates.ts'
