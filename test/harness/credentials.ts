/** The roles every server of the harness has. These passwords protect nothing: the servers listen on loopback only. */
export const superuser = { user: 'postgres', password: 'postgres_password' } as const

/** A plain role, without any privilege of a superuser, that owns the database `app`. */
export const appRole = { user: 'app', password: 'app_password' } as const

export const appDatabase = 'app'

export interface ConnectionTarget {
  readonly user?: string
  readonly password?: string
  readonly database?: string
}

/** What is not given is the plain role and the database `app`; the passwords of known users are filled in. */
export function connectionUrl(
  { host, port }: { readonly host: string; readonly port: number },
  { user = appRole.user, password = knownPassword(user), database = appDatabase }: ConnectionTarget = {},
): string {
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  return `postgresql://${credentials}@${host}:${port}/${encodeURIComponent(database)}`
}

function knownPassword(user: string): string {
  return user === superuser.user ? superuser.password : appRole.password
}
