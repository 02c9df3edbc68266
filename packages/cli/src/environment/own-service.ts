import { InvalidOptionError } from '@poolguard/core'
import { withService } from '@poolguard/core/adapter'
import { ConnectionString, type UrlParameter } from '@poolguard/core/postgres'
import type { AddService } from './connection-from-environment.ts'
import { isChosenByFile, type Variables } from './own-password.ts'
import type { EnvironmentReading } from './variable-groups.ts'

/** Parts of a connection, and libpq's variables, that lead the password of a service to another server, or take another file's. */
const LEADING = ['host', 'hostaddr', 'passfile'] as const
const LEADING_VARIABLES = ['PGHOST', 'PGHOSTADDR', 'PGPASSFILE']

/** The source of what a service file says. */
const SERVICE_FILE = 'pg_service.conf'

/**
 * Fills the gaps of a connection from the user's service file. A project file may name one of the user's services, but neither the
 * service file nor, beside a service, where to connect: it could send the service's password to another server.
 *
 * @param file the variables of the project's `.env`.
 * @param env the variables of the shell.
 */
export function ownService(file: Variables, env: Variables): AddService {
  const chosenByFile = (name: string | undefined) => isChosenByFile(name, file, env)
  return (reading) => {
    const own = chosenByFile(reading.sources.servicefile) ? withoutParameters(reading, ['servicefile']) : reading
    const leads = LEADING.some((part) => chosenByFile(own.sources[part])) || LEADING_VARIABLES.some(chosenByFile)
    const { PGSERVICE } = { ...file, ...env }
    return leads ? withoutService(own, PGSERVICE) : filled(own, PGSERVICE, env)
  }
}

/** An empty service has precedence over PGSERVICE, and is none. */
function withoutService(reading: EnvironmentReading, variable: string | undefined): EnvironmentReading {
  const plain = withoutParameters(reading, ['service', 'servicefile'])
  if (!variable) return plain
  const parameters: UrlParameter[] = [...(plain.parts.parameters ?? []), ['service', '']]
  return { ...plain, parts: { ...plain.parts, parameters } }
}

function filled(reading: EnvironmentReading, variable: string | undefined, env: Variables): EnvironmentReading {
  const given = new ConnectionString(reading.parts)
  const service = given.parameter('service') || variable
  if (!service) return reading
  const named: UrlParameter[] = [['service', service]]
  try {
    const complete = withService(given.with({ parameters: [...given.parameters, ...named] }), { env })
    const { user, password, hosts, database, parameters } = complete
    const parts = { ...reading.parts, user, password, hosts, database, parameters: [...parameters, ...named] }
    return { ...reading, parts, sources: { ...sourcesOf(complete), service: 'PGSERVICE', ...reading.sources } }
  } catch (error) {
    // The pool reports it, if a command connects.
    if (error instanceof InvalidOptionError) return reading
    throw error
  }
}

function sourcesOf({ user, password, hosts, database, parameters }: ConnectionString): Record<string, string> {
  const parts = { user, password, database, host: hosts[0]?.host || undefined, port: hosts[0]?.port }
  const names = Object.entries(parts).flatMap(([part, value]) => (value === undefined ? [] : [part]))
  return Object.fromEntries([...names, ...parameters.map(([name]) => name)].map((name) => [name, SERVICE_FILE]))
}

function withoutParameters(reading: EnvironmentReading, names: readonly string[]): EnvironmentReading {
  const parameters = (reading.parts.parameters ?? []).filter(([name]) => !names.includes(name))
  return { ...reading, parts: { ...reading.parts, parameters } }
}
