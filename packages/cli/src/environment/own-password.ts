import type { ConnectionString } from '@poolguard/core/postgres'
import type { EnvironmentConnection } from './connection-from-environment.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** Parameters, and their variables, that lead a password to another server than its host says, or to a password of another file. */
const REDIRECTING = [
  ['hostaddr', 'PGHOSTADDR'],
  ['passfile', 'PGPASSFILE'],
] as const

/**
 * Removes the shell's PGPASSWORD from a connection whose host comes from a project file, unless the shell names the same host
 * (PGHOST; by default this machine), and what a project file says of another address or password file. Otherwise a project file could
 * send the user's passwords to another server.
 *
 * @param file the variables of the project's `.env`.
 * @param env the variables of the shell.
 */
export function withoutForeignPassword(
  found: EnvironmentConnection,
  file: Variables,
  env: Variables,
): EnvironmentConnection {
  const { url, direct, sources } = found
  const chosenByFile = (name: string | undefined) => isChosenByFile(name, file, env)
  const isForeign = (url: ConnectionString, variable: string | undefined) =>
    Boolean(env.PGPASSWORD) &&
    url.password === env.PGPASSWORD &&
    [variable, sources.service].some(chosenByFile) &&
    !leadsTo(url, env)
  const own = (given: ConnectionString, variable: string | undefined) => {
    // Of no use to a file with a password of its own, and the user's own (PGPASSWORD, ~/.pgpass) would follow them.
    const redirecting = given.password === undefined || given.password === env.PGPASSWORD ? REDIRECTING : []
    const chosen = redirecting.filter(([, name]) => chosenByFile(variable) || chosenByFile(name))
    const url = given.without(...chosen.map(([parameter]) => parameter))
    return isForeign(url, variable) ? url.with({ password: undefined }) : url
  }
  return {
    ...found,
    url: own(url, sources.host),
    ...(direct && { direct: own(direct, sources.direct) }),
  }
}

/** Whether the value of a variable comes from a project file, and not from the shell. */
export function isChosenByFile(name: string | undefined, file: Variables, env: Variables): boolean {
  return name !== undefined && !env[name] && Boolean(file[name])
}

function leadsTo(url: ConnectionString, { PGHOST, PGHOSTADDR }: Variables): boolean {
  const own = [PGHOST, PGHOSTADDR].filter(Boolean)
  const isOwn = (host: string) => (own.length > 0 ? own.includes(host) : isThisMachine(host))
  return url.hosts.every(({ host }) => isOwn(host))
}

function isThisMachine(host: string): boolean {
  return host === '' || host === 'localhost' || host === '::1' || host.startsWith('/') || /^127(\.\d+){3}$/.test(host)
}
