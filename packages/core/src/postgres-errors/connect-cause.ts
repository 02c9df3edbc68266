import { isFullError } from './classify-connect-failure.ts'
import { type ErrorFacts, readError } from './read-error.ts'

/** What makes a connection attempt fail, as far as the error shows it. */
export type ConnectCause =
  /** A host answered, but no process listens on the port. */
  | 'refused'
  /** The host name does not exist, or could not be looked up. */
  | 'unknown-host'
  /** There is no route to the host. */
  | 'unreachable'
  /** Nothing answered in time. */
  | 'timeout'
  /** The login worked, and the first query got no answer. */
  | 'no-answer'
  /** The connection was closed before the login had finished. */
  | 'closed'
  /** The server is starting, shutting down, or recovering. */
  | 'starting'
  | 'wrong-password'
  /** The server asked for a password, and there is none. */
  | 'no-password'
  | 'unknown-role'
  | 'unknown-database'
  /** The role or the database does not allow connections. */
  | 'not-permitted'
  | 'no-hba-entry'
  /** The server accepts only TLS. */
  | 'tls-required'
  /** The server has no TLS. */
  | 'no-tls'
  /** The certificate is signed by an authority that Node does not know, or by itself. */
  | 'unknown-certificate'
  /** The certificate is valid for another host name. */
  | 'wrong-certificate-name'
  /** The certificate has expired, or is not valid yet. */
  | 'expired-certificate'
  /** The server accepts only clients with a certificate. */
  | 'client-certificate-required'
  /** The two sides cannot agree on TLS. */
  | 'tls-handshake'
  /** The server, the role, the database or a pooler has no connection left. */
  | 'full'
  /** PgBouncer cannot log in to the server. */
  | 'pooler-login'
  /** The database is disabled or removed on PgBouncer's console. */
  | 'pooler-disabled'
  /** A pooler waited too long for a free server connection. */
  | 'pooler-queue'
  /** The server or the pooler rejects a startup parameter. */
  | 'startup-parameter'
  /** The server answers in another protocol than PostgreSQL's. */
  | 'not-postgres'

interface ConnectCauseRule {
  readonly cause: ConnectCause
  /** Undefined: any code matches. */
  readonly codes?: readonly string[]
  /** Undefined: any text matches. */
  readonly text?: RegExp
}

/** PgBouncer repeats the server's error as `cached error: ...`, so this text comes before all others. */
const POOLER_LOGIN_TEXT = /server_login_retry|server login has been failing|server login failed/i

/**
 * The first matching rule counts. Texts come before codes, because poolers send PostgreSQL's texts under codes of their own, and
 * because PostgreSQL uses one code for several causes (28000).
 */
const CONNECT_CAUSE_RULES: readonly ConnectCauseRule[] = [
  { cause: 'pooler-disabled', text: /^database "[^"]*" is disabled|^database removed/i },
  { cause: 'pooler-queue', text: /query_wait_timeout|client_login_timeout/i },
  { cause: 'client-certificate-required', text: /requires a valid client certificate/i },
  { cause: 'startup-parameter', text: /unsupported startup parameter/i },
  { cause: 'startup-parameter', codes: ['42704', '22023', '55P02'] },
  {
    cause: 'tls-required',
    text: /no pg_hba\.conf entry for [^\n]{0,300}(?:no encryption|SSL off)|requires TLS|must connect with TLS|SSL (?:connection )?is required|SSL required|allowed only with SSL/i,
  },
  { cause: 'no-hba-entry', text: /pg_hba\.conf|pool_hba\.conf/i },
  { cause: 'no-tls', text: /server does not support SSL connections/i },
  { cause: 'unknown-role', text: /(?:role|user) "[^"]*" does not exist|no such user/i },
  { cause: 'unknown-database', text: /database "[^"]*" does not exist|no such database/i },
  {
    cause: 'not-permitted',
    text: /is not permitted to log in|permission denied for database|not currently accepting/i,
  },
  { cause: 'no-password', text: /client password must be a |no password supplied|empty password/i },
  {
    cause: 'wrong-password',
    text: /authentication failed|auth failed|incorrect password|invalid password|password that was provided/i,
  },
  { cause: 'starting', text: /the database system is (?:starting up|shutting down|in recovery|not yet accepting)/i },
  { cause: 'starting', codes: ['57P03'] },
  { cause: 'unknown-database', codes: ['3D000'] },
  { cause: 'wrong-password', codes: ['28P01', '28000'] },
  { cause: 'not-permitted', codes: ['42501', '55000'] },
  {
    cause: 'unknown-certificate',
    codes: [
      ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT', 'CERT_UNTRUSTED'],
      ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'INVALID_CA', 'CERT_CHAIN_TOO_LONG'],
    ],
  },
  {
    cause: 'wrong-certificate-name',
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_FORMAT', 'HOSTNAME_MISMATCH'],
  },
  { cause: 'expired-certificate', codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'] },
  { cause: 'client-certificate-required', codes: ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'] },
  { cause: 'tls-handshake', text: /error establishing an SSL connection/i },
  { cause: 'refused', codes: ['ECONNREFUSED', 'ENOENT'] },
  { cause: 'unknown-host', codes: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NONAME', 'EAI_NODATA'] },
  { cause: 'unreachable', codes: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'] },
  { cause: 'timeout', codes: ['ETIMEDOUT'] },
  { cause: 'no-answer', text: /query read timeout/i },
  { cause: 'timeout', text: /connect timeout|timeout expired|timeout exceeded when trying to connect/i },
  { cause: 'not-postgres', text: /received invalid response|a message that pg cannot parse/i },
  { cause: 'closed', codes: ['ECONNRESET', 'EPIPE'] },
  { cause: 'closed', text: /connection terminated|server closed the connection|socket hang up/i },
]

/**
 * Finds what makes a connection attempt fail, by the error's code and text; undefined for an unknown error.
 *
 * @example
 * findConnectCause(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })) // 'refused'
 */
export function findConnectCause(error: unknown): ConnectCause | undefined {
  return causeOf(readError(error))
}

function causeOf(facts: ErrorFacts): ConnectCause | undefined {
  const { code, message } = facts
  if (POOLER_LOGIN_TEXT.test(message)) return 'pooler-login'
  if (isFullError(facts)) return 'full'
  const rule = CONNECT_CAUSE_RULES.find(
    ({ codes, text }) => (codes === undefined || codes.includes(code)) && (text === undefined || text.test(message)),
  )
  return rule?.cause ?? (code.startsWith('ERR_SSL_') ? 'tls-handshake' : undefined)
}
