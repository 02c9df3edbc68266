import type { GuardedDriver } from '../guarded-driver.ts'

/** Longer than any version. */
const MAX_VERSION_LENGTH = 40

/**
 * The version of a Pgpool-II that the connection leads through; undefined if there is none. Pgpool-II forwards its server's pid, so that it
 * looks like PostgreSQL, but it answers `SHOW pool_version` itself. PostgreSQL rejects that command and logs the error, so it is sent only
 * if the server sees another port than the one that the client uses, as it does behind every proxy and address translation.
 */
export async function pgpoolVersion<C>(driver: GuardedDriver<C>, connection: C): Promise<string | undefined> {
  const ask = (text: string) => driver.queryValue(connection, text).catch(() => undefined)
  const seen = await ask('select pg_catalog.inet_client_port()::pg_catalog.text')
  if (Number(seen ?? 0) === (driver.localPortOf(connection) ?? 0)) return undefined
  return (await ask('show pool_version'))?.slice(0, MAX_VERSION_LENGTH)
}
