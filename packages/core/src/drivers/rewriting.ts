import type { ConnectionString } from '../connection-string/index.ts'

/** What a {@link RewriteWarning} is about. Stable, for programs. */
export type RewriteWarningCode =
  /** The driver does not read it from the URL as it stands; what was meant has been put where the driver does. */
  | 'translated'
  /** The driver ignores it, and has nothing like it; removed. */
  | 'ignored-by-driver'
  /** The driver would stop at it; removed. */
  | 'refused-by-driver'
  /** The driver would send it to the server as a setting, which the server does not know; removed. */
  | 'refused-by-server'
  /** The pooler refuses it when a connection starts; removed, to be set on the server. */
  | 'refused-by-pooler'
  /** The URL says one thing and the caller another; the caller's holds. */
  | 'overridden'
  /** The driver has no such setting. */
  | 'not-in-this-driver'
  /** The driver has one timeout for two settings. */
  | 'one-timeout'
  /** The driver takes one host; the first is kept. */
  | 'one-host-only'
  /** The flag costs something and is not needed here; removed. */
  | 'flag-not-needed'
  /** The flag is not needed for prepared statements, but for something else; kept. */
  | 'flag-kept'
  /** Prepared statements are off where they would work. */
  | 'prepared-statements-off'
  /** The driver verifies more than libpq would in this mode. */
  | 'stricter-tls'
  /** The driver verifies less than was asked for. */
  | 'weaker-tls'
  /** A file that the URL names has not been read. */
  | 'file-not-read'
  /** All connections reach their age at the same time. */
  | 'lifetime-without-jitter'
  /** The driver takes the database's name as it is encoded. */
  | 'database-name-encoded'

/** A part of a connection string that does nothing or harm in a driver, and what to write. Never holds a password. */
export interface RewriteWarning {
  readonly code: RewriteWarningCode
  /** The parameter or the setting that it is about. */
  readonly parameter: string
  /** Why it does nothing, or harm. */
  readonly why: string
  /** What to write, or what has been done. */
  readonly instead: string
}

/** One line for logs. */
export function describeRewriteWarning({ code, parameter, why, instead }: RewriteWarning): string {
  return `${parameter}: ${why}; ${instead} (${code})`
}

/** What a rewriting could not and could do about the parts of a connection string that the driver would not understand. */
export interface RewritingReport {
  /** What is lost in this driver, or does harm. */
  readonly warnings: readonly RewriteWarning[]
  /** What the driver alone would ignore or misread: the rewriting has put it where the driver reads it. */
  readonly repairs: readonly RewriteWarning[]
}

/** A connection string rewritten for one driver. Only `url.href` contains the password. */
export interface RewrittenUrl extends RewritingReport {
  readonly url: ConnectionString
}
