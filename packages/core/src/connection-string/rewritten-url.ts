import type { ConnectionString } from './connection-string.ts'
import type { RewriteWarning } from './rewrite-warning.ts'

/** A connection string rewritten for one consumer. Only `url.href` holds the password. */
export interface RewrittenUrl {
  readonly url: ConnectionString
  readonly warnings: readonly RewriteWarning[]
}
