/** One server of a connection string. libpq allows several, which it tries in order. */
export interface HostAddress {
  /** A host name, an IPv4 address, an IPv6 address without brackets, or the directory of a Unix socket. */
  readonly host: string
  /** Absent if the string has no port: drivers then use 5432. */
  readonly port?: number
}

/** A parameter after the `?`, decoded. */
export type UrlParameter = readonly [name: string, value: string]

/** The parts of a `ConnectionString`, all decoded. */
export interface ConnectionStringParts {
  readonly scheme?: 'postgres' | 'postgresql'
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly hosts?: readonly HostAddress[]
  readonly database?: string | undefined
  /** In their original order. A name may occur twice. */
  readonly parameters?: readonly UrlParameter[]
}
