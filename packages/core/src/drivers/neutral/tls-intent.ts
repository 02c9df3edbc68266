import type { ConnectionString } from '../../connection-string/index.ts'
import { ConnectionStringError } from '../../connection-string/index.ts'

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const

/** libpq's modes, and `no-verify`, which pg has added. */
export type TlsMode = (typeof MODES)[number]

/** What a connection string says of TLS, in libpq's, pg's or Prisma's words. */
export interface TlsIntent {
  readonly mode?: TlsMode | undefined
  /** Where the mode stood: `ssl=true` means more to postgres.js than `sslmode=require` does. */
  readonly modeParameter?: 'sslmode' | 'ssl' | undefined
  /** `uselibpqcompat=true`: pg is to take the modes as libpq does. */
  readonly asLibpq: boolean
  /** Prisma's `sslaccept`. */
  readonly accept?: 'strict' | 'accept_invalid_certs' | undefined
  /** The file with the authorities that may have signed the server's certificate, or `system`. */
  readonly rootCertificate?: string | undefined
  /** Where that stood: libpq verifies under `require` when `sslrootcert` is given. */
  readonly rootParameter?: 'sslrootcert' | 'sslcert' | undefined
  /** The files with the client's own certificate and key, and the key's password. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
  /** Prisma's PKCS#12 file with the client's certificate and key. */
  readonly identity?: string | undefined
  readonly negotiation?: string | undefined
}

/** The parameters that a {@link TlsIntent} is read from. */
export const TLS_PARAMETERS: readonly string[] = [
  'sslmode',
  'ssl',
  'uselibpqcompat',
  'sslaccept',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslidentity',
  'sslnegotiation',
]

/**
 * Reads what a connection string says of TLS. `sslcert` is the client's certificate, as in libpq and pg, if its `sslkey`
 * or an `sslrootcert` stands beside it; alone, or beside `sslaccept` or `sslidentity`, it is the authority's, as in Prisma
 * (https://www.prisma.io/docs/orm/v6/overview/databases/postgresql#configuring-an-ssl-connection).
 *
 * @throws {ConnectionStringError} if a mode is none.
 */
export function readTlsIntent(connection: ConnectionString): TlsIntent {
  const at = (name: string): string | undefined => connection.parameter(name) || undefined
  const sslmode = at('sslmode')
  const ssl = at('ssl')
  const bare = at('sslkey') === undefined && at('sslrootcert') === undefined
  const prisma = at('sslaccept') !== undefined || at('sslidentity') !== undefined || bare
  const accept = at('sslaccept')
  return {
    ...(sslmode !== undefined
      ? { mode: readMode('sslmode', sslmode), modeParameter: 'sslmode' }
      : ssl !== undefined && { mode: readMode('ssl', ssl), modeParameter: 'ssl' }),
    asLibpq: at('uselibpqcompat') === 'true',
    accept: accept === undefined ? undefined : accept === 'accept_invalid_certs' ? accept : 'strict',
    rootCertificate: at('sslrootcert') ?? (prisma ? at('sslcert') : undefined),
    rootParameter: at('sslrootcert') !== undefined ? 'sslrootcert' : prisma && at('sslcert') ? 'sslcert' : undefined,
    certificate: prisma ? undefined : at('sslcert'),
    key: at('sslkey'),
    passphrase: at('sslpassword'),
    identity: at('sslidentity'),
    negotiation: at('sslnegotiation'),
  }
}

function readMode(parameter: string, text: string): TlsMode {
  if (parameter === 'ssl') {
    if (text === 'true' || text === '1') return 'require'
    if (text === 'false' || text === '0') return 'disable'
  }
  const mode = MODES.find((known) => known === text)
  if (mode) return mode
  throw new ConnectionStringError('parameters', `${parameter} is none of ${MODES.join(', ')}`)
}
