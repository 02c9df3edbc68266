import { type ConnectionString, ConnectionStringError } from '../../connection-string/index.ts'

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const

/** libpq's modes, and pg's `no-verify`. */
export type TlsMode = (typeof MODES)[number]

/** The TLS parameters of a connection string, in the syntax of libpq, pg or Prisma. */
export interface TlsIntent {
  readonly mode?: TlsMode | undefined
  /** The parameter of the mode: postgres.js verifies more for `ssl=true` than for `sslmode=require`. */
  readonly modeParameter?: 'sslmode' | 'ssl' | undefined
  /** `uselibpqcompat=true`: pg interprets the modes as libpq does. */
  readonly asLibpq: boolean
  /** Prisma's `sslaccept`. */
  readonly accept?: 'strict' | 'accept_invalid_certs' | undefined
  /** The file with the CA certificates for the server, or `system`. */
  readonly rootCertificate?: string | undefined
  /** The parameter of the root certificate: libpq verifies with `require` if `sslrootcert` is set. */
  readonly rootParameter?: 'sslrootcert' | 'sslcert' | undefined
  /** The file with the client certificate. */
  readonly certificate?: string | undefined
  /** The file with the client's key. */
  readonly key?: string | undefined
  /** The password of the client's key. */
  readonly passphrase?: string | undefined
  /** Prisma's PKCS#12 file with the client's certificate and key. */
  readonly identity?: string | undefined
  /** `direct`: TLS starts without asking the server first, as in PostgreSQL 17. */
  readonly negotiation?: 'postgres' | 'direct' | undefined
}

/** The parameters of a {@link TlsIntent}. */
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
 * Reads the TLS parameters of a connection string. With `sslkey` or `sslrootcert`, `sslcert` is the client certificate, as in libpq
 * and pg. Alone, or with `sslaccept` or `sslidentity`, it is the CA certificate, as in Prisma
 * (https://www.prisma.io/docs/orm/v6/overview/databases/postgresql#configuring-an-ssl-connection).
 *
 * @throws {ConnectionStringError} if a mode is invalid, or `sslnegotiation=direct` contradicts the mode.
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
    negotiation: readNegotiation(at('sslnegotiation'), sslmode ?? ssl),
  }
}

function readMode(parameter: string, text: string): TlsMode {
  if (parameter === 'ssl') {
    if (text === 'true' || text === '1') return 'require'
    if (text === 'false' || text === '0') return 'disable'
  }
  const mode = MODES.find((known) => known === text)
  if (mode) return mode
  throw new ConnectionStringError('parameters', `${parameter} must be one of ${MODES.join(', ')}`)
}

function readNegotiation(value: string | undefined, mode: string | undefined): TlsIntent['negotiation'] {
  if (value === undefined || value === 'postgres') return value
  if (value !== 'direct') throw new ConnectionStringError('parameters', 'sslnegotiation must be postgres or direct')
  if (mode !== 'disable' && mode !== 'false' && mode !== '0') return value
  throw new ConnectionStringError('parameters', 'sslnegotiation=direct needs TLS, which the URL turns off')
}

const CHANNEL_BINDINGS = ['disable', 'prefer', 'require'] as const

/**
 * Reads libpq's `channel_binding`.
 *
 * @throws {ConnectionStringError} if the value is invalid.
 */
export function readChannelBinding(
  parameters: ReadonlyMap<string, string>,
): (typeof CHANNEL_BINDINGS)[number] | undefined {
  const value = parameters.get('channel_binding')
  if (!value) return undefined
  const known = CHANNEL_BINDINGS.find((each) => each === value)
  if (known) return known
  throw new ConnectionStringError('parameters', `channel_binding must be one of ${CHANNEL_BINDINGS.join(', ')}`)
}
