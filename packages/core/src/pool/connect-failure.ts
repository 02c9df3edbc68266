/**
 * Why a connection could not be opened, as far as it matters for what to do next:
 * - `full`: the server or the pooler has no connection left. Keep waiting, and try again one at a time.
 * - `unavailable`: it is starting, stopping, recovering, or cannot be reached. Try again, with growing pauses.
 * - `refused`: it will not work however often it is tried (wrong password, no such database). Tell the callers.
 */
export type ConnectFailure = 'full' | 'unavailable' | 'refused'

/** SQLSTATE 53300 in all its texts, and 53400 (`configuration_limit_exceeded`), which some providers use for the same. */
const FULL_CODES: ReadonlySet<string> = new Set(['53300', '53400'])

/** admin_shutdown, crash_shutdown, cannot_connect_now, out_of_memory, and the connection exceptions of class 08. */
const UNAVAILABLE_CODES: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53200',
  '08000',
  '08001',
  '08003',
  '08006',
])

/**
 * PgBouncer reports almost everything as 08P01, before 1.24 what PostgreSQL told it too, so the texts tell
 * (https://github.com/pgbouncer/pgbouncer/blob/master/src/client.c and objects.c).
 */
const POOLER_FULL =
  /no more connections allowed|client connections exceeded|too many clients|too many connections|remaining connection slots/i
const POOLER_UNAVAILABLE =
  /query_wait_timeout|server login has been failing|server conn crashed|server shutting down|the database system is|server_login_retry|pgbouncer cannot connect to server|database ".*" is disabled|database removed/i

/** Node's and pg's own errors while reaching a server: the network's, and pg's texts, which carry no code. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOENT',
  'EMFILE',
  'ENFILE',
])
const NETWORK_TEXT =
  /connection terminated|timeout expired|connection timeout|connect timeout|client has encountered a connection error/i

export interface ClassifyOptions {
  /** The password is a function, which may have a better answer next time: tokens expire, secrets are rotated. */
  readonly passwordMayChange?: boolean
}

/** invalid_authorization_specification and invalid_password. */
const WRONG_PASSWORD_CODES: ReadonlySet<string> = new Set(['28000', '28P01'])

/** Sorts an error of connecting to PostgreSQL or a pooler. Whatever is not known to pass by itself is `refused`. */
export function classifyConnectFailure(error: unknown, options: ClassifyOptions = {}): ConnectFailure {
  const { code, message } = describe(error)
  if (options.passwordMayChange && WRONG_PASSWORD_CODES.has(code)) return 'unavailable'
  if (FULL_CODES.has(code)) return 'full'
  if (UNAVAILABLE_CODES.has(code) || NETWORK_CODES.has(code)) return 'unavailable'
  if (code === '08P01' || code === '') {
    // A cached login failure repeats the server's own text: "... cached error: FATAL: sorry, too many clients already".
    if (POOLER_FULL.test(message)) return 'full'
    if (POOLER_UNAVAILABLE.test(message)) return 'unavailable'
  }
  if (code === '' && NETWORK_TEXT.test(message)) return 'unavailable'
  return 'refused'
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0])
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : String(error) }
}
