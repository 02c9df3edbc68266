import type { ConnectionString } from '@poolguard/core/postgres'
import type { EnvironmentConnection } from './connection-from-environment.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Removes the shell's PGPASSWORD from a connection whose host comes from a project file, unless the shell names the same host
 * (PGHOST; by default this machine). Otherwise a project file could send the user's password to another server.
 *
 * @param file the variables of the project's `.env`.
 * @param env the variables of the shell.
 */
export function withoutForeignPassword(
  found: EnvironmentConnection,
  file: Variables,
  env: Variables,
): EnvironmentConnection {
  const chosenByFile = (name: string | undefined) => name !== undefined && !env[name] && Boolean(file[name])
  const isForeign = (url: ConnectionString, variable: string | undefined) =>
    Boolean(env.PGPASSWORD) && url.password === env.PGPASSWORD && chosenByFile(variable) && !leadsTo(url, env)
  const { url, direct, sources } = found
  return {
    ...found,
    url: isForeign(url, sources.host) ? url.with({ password: undefined }) : url,
    ...(direct && { direct: isForeign(direct, sources.direct) ? direct.with({ password: undefined }) : direct }),
  }
}

function leadsTo(url: ConnectionString, { PGHOST, PGHOSTADDR }: Variables): boolean {
  const own = [PGHOST, PGHOSTADDR].filter(Boolean)
  const isOwn = (host: string) => (own.length > 0 ? own.includes(host) : isThisMachine(host))
  return url.hosts.every(({ host }) => isOwn(host))
}

function isThisMachine(host: string): boolean {
  return host === '' || host === 'localhost' || host === '::1' || host.startsWith('/') || /^127(\.\d+){3}$/.test(host)
}
