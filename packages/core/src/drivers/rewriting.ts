import type { ConnectionString } from '../connection-string/index.ts'

/** The kind of a {@link RewriteWarning}. Stable, for programs. */
export type RewriteWarningCode =
  /** The driver does not read it from the URL, or misreads it. The rewriting puts it where the driver reads it. */
  | 'translated'
  /** The driver ignores it and has no equivalent. Removed. */
  | 'ignored-by-driver'
  /** The driver would throw. Removed. */
  | 'refused-by-driver'
  /** The driver would send it to the server as a setting, which the server rejects. Removed. */
  | 'refused-by-server'
  /** The pooler rejects it as a startup parameter. Removed: set it on the server. */
  | 'refused-by-pooler'
  /** The URL and the caller set different values. The caller's value is used. */
  | 'overridden'
  /** The driver has no such setting. */
  | 'not-in-this-driver'
  /** The driver has a single timeout for two settings. */
  | 'one-timeout'
  /** The driver supports one host. The first is kept. */
  | 'one-host-only'
  /** The flag has a cost and is not needed here. Removed. */
  | 'flag-not-needed'
  /** The flag is not needed for prepared statements, but for another reason. Kept. */
  | 'flag-kept'
  /** Prepared statements are off although they would work. */
  | 'prepared-statements-off'
  /** The driver verifies more than libpq does in this mode. */
  | 'stricter-tls'
  /** The driver verifies less than the URL requires. */
  | 'weaker-tls'
  /** A file in the URL was not read. */
  | 'file-not-read'
  /** All connections reach their maximum lifetime at the same time. */
  | 'lifetime-without-jitter'
  /** The driver does not decode the name of the database. */
  | 'database-name-encoded'

/** A warning about a part of a connection string that a driver ignores or misreads, with advice. Never contains a password. */
export interface RewriteWarning {
  readonly code: RewriteWarningCode
  /** The parameter or the setting. */
  readonly parameter: string
  /** Why it has no effect, or does harm. */
  readonly why: string
  /** What to write instead, or what the rewriting has done. */
  readonly instead: string
}

/** Prints a warning as one line for logs. */
export function describeRewriteWarning({ code, parameter, why, instead }: RewriteWarning): string {
  return `${parameter}: ${why}; ${instead} (${code})`
}

/** The parts of a connection string that the driver does not understand: those that are lost, and those that were translated. */
export interface RewritingReport {
  /** Parts that this driver does not support, or that do harm. */
  readonly warnings: readonly RewriteWarning[]
  /** Parts that the driver alone would ignore or misread. The rewriting has put them where the driver reads them. */
  readonly repairs: readonly RewriteWarning[]
}

/** A connection string rewritten for one driver. Only `url.href` contains the password. */
export interface RewrittenUrl extends RewritingReport {
  readonly url: ConnectionString
}
