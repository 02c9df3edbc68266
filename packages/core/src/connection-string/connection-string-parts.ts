/** One server that a connection string names. libpq allows several, tried in order. */
export interface HostAddress {
  /** A host name, an IPv4 or (without brackets) IPv6 address, or the folder of a Unix socket. */
  readonly host: string
  /** Absent when the string names none; drivers then use 5432. */
  readonly port?: number
}

/** A parameter behind the `?`, decoded. */
export type UrlParameter = readonly [name: string, value: string]

/** The parts that a `ConnectionString` is made of, all decoded. */
export interface ConnectionStringParts {
  readonly scheme?: 'postgres' | 'postgresql'
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly hosts?: readonly HostAddress[]
  readonly database?: string | undefined
  /** In the order written; a name may occur twice. */
  readonly parameters?: readonly UrlParameter[]
}
