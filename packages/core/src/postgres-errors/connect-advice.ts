import { isServerAbsent } from './classify-connect-failure.ts'
import { type ConnectCause, findConnectCause } from './connect-cause.ts'
import { readError } from './read-error.ts'

/** The advice for the causes that need one. */
const ADVICE: Partial<Record<ConnectCause, string>> = {
  'pooler-login':
    "PgBouncer could not log in to the server. It repeats this error and does not retry for server_login_retry (default 15 s). To retry at once, run SET server_login_retry = 1 on PgBouncer's console; RECONNECT does not retry",
  'no-tls':
    'The connection requires TLS, and pg does not fall back to plain text. Set sslmode=disable if the network is trusted, or turn TLS on in the server (ssl = on in postgresql.conf)',
  'tls-required':
    'The server may require TLS. Add sslmode=require (or sslmode=no-verify if the certificate is self-signed)',
  'unknown-certificate':
    'Set the certificate of the CA (sslrootcert=/path/ca.pem, or ssl: { ca }), or sslmode=no-verify to accept any certificate',
}

export interface AdviceOptions {
  /** No server has answered at this address since the process started. */
  readonly neverReached?: boolean
  /** PgBouncer's KILL has closed the connections: see {@link isKilledByPooler}. */
  readonly killed?: boolean
}

/** Whether a connection was closed by KILL on PgBouncer's console, or because the database was removed from its configuration. */
export function isKilledByPooler(error: unknown): boolean {
  return readError(error).message === 'database removed'
}

const AFTER_KILL =
  'PgBouncer has disconnected all clients of this database (KILL on its console). It rejects clients until RESUME, and may then wait for server_login_retry (default 15 s) before it logs in to the server again'

/** Advice for a connection error, without a final full stop; undefined if the error needs no advice. */
export function adviseConnectFailure(
  error: unknown,
  { neverReached = false, killed = false }: AdviceOptions = {},
): string | undefined {
  if (neverReached && isServerAbsent(error)) {
    return (
      'No server has answered at this address since this process started, so the pool does not wait for it. ' +
      'Start the server first, or set waitForServer: true if it may start later'
    )
  }
  if (killed) return AFTER_KILL
  const cause = findConnectCause(error)
  return cause && ADVICE[cause]
}
