import { isNobodyThere } from './classify-connect-failure.ts'
import { readError } from './read-error.ts'

/** What to do about an error of connecting, by its text or code. */
const ADVICE: readonly { readonly of: RegExp; readonly advice: string }[] = [
  {
    of: /server_login_retry|server login has been failing/i,
    advice:
      "PgBouncer could not log in to the server and repeats that error for server_login_retry (15 s by default); it does not try before. Run RECONNECT on PgBouncer's console, or lower server_login_retry",
  },
  {
    of: /server does not support SSL connections/i,
    advice:
      'The connection asks for TLS, and pg has no fallback to plain text: write sslmode=disable if the network may see the data, or turn TLS on (ssl = on in postgresql.conf)',
  },
  {
    of: /no pg_hba\.conf entry for [^\n]{0,300}(?:no encryption|SSL off)|requires TLS|must connect with TLS|SSL (?:connection )?is required|SSL required/i,
    advice:
      'The server may want TLS: add sslmode=require (or sslmode=no-verify for a certificate that no authority has signed)',
  },
  {
    of: /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED) /,
    advice:
      "Name the authority's certificate (sslrootcert=/path/ca.pem, or ssl: { ca }), or write sslmode=no-verify to accept any",
  },
]

export interface AdviceOptions {
  /** No server has ever answered at this address. */
  readonly neverReached?: boolean
  /** PgBouncer's KILL has ended the connections that there were: see {@link isKilledByPooler}. */
  readonly killed?: boolean
}

/** Whether a connection was lost because the database was killed on PgBouncer's console, or removed from its configuration. */
export function isKilledByPooler(error: unknown): boolean {
  return readError(error).message === 'database removed'
}

const AFTER_KILL =
  'PgBouncer has dropped all clients of this database (KILL on its console): it lets no client in before RESUME, and may then wait for server_login_retry (15 s by default) before it logs in to the server again'

/** What to do about an error of connecting, as a sentence without its full stop; undefined where the error says it all. */
export function adviseConnectFailure(
  error: unknown,
  { neverReached = false, killed = false }: AdviceOptions = {},
): string | undefined {
  if (neverReached && isNobodyThere(error)) {
    return (
      'No server has answered at this address since this process started, so the pool does not wait for one. ' +
      'Start the server first, or set waitForServer: true if it may start later'
    )
  }
  if (killed) return AFTER_KILL
  const { code, message } = readError(error)
  return ADVICE.find(({ of }) => of.test(`${code} ${message}`))?.advice
}
