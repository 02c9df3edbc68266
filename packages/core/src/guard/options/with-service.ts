import { addService, type ConnectionString, parseService } from '../../connection-string/index.ts'
import { InvalidOptionError } from '../../invalid-option-error.ts'
import { libpqFile, surroundings } from '../../libpq-file.ts'
import { HIDDEN } from '../../redact.ts'

/** Environment variables, such as `process.env`. */
type Environment = Readonly<Record<string, string | undefined>>

/** A service file, and where its path comes from. */
interface ServiceFile {
  readonly path: string
  /** For messages, which do not show a path of the URL or the environment. */
  readonly source: string
  /** False for a default file, which may be absent. */
  readonly isNamed: boolean
}

/** The directories of the system's service file in the builds of libpq: Debian, Red Hat, Alpine, Homebrew, and PostgreSQL's own. */
const SYSTEM_DIRECTORIES: readonly string[] = [
  '/etc/postgresql-common',
  '/etc/sysconfig/pgsql',
  '/etc/postgresql',
  '/opt/homebrew/etc/postgresql',
  '/usr/local/etc/postgresql',
  '/usr/local/pgsql/etc',
]

export interface ServiceOptions {
  /** Parameters that are set elsewhere, such as in a driver's options, and that the service does not set. */
  readonly except?: readonly string[]
  /** Default: `process.env`. */
  readonly env?: Environment
}

/**
 * Fills the gaps of a connection from libpq's service file, if the parameter `service` or `PGSERVICE` names a service. It is looked up in
 * the file of the parameter `servicefile`, else of `PGSERVICEFILE`, else in `~/.pg_service.conf`; then in the system's `pg_service.conf`.
 *
 * @returns the connection without the parameters `service` and `servicefile`.
 * @throws {InvalidOptionError} if no file defines the service, if a named file cannot be read, or if a line of the service is invalid.
 */
export function withService(
  connection: ConnectionString,
  { except, env = process.env }: ServiceOptions = {},
): ConnectionString {
  const inUrl = connection.parameter('service') || undefined
  const service = inUrl ?? env.PGSERVICE
  const plain = connection.without('service', 'servicefile')
  if (!service) return plain
  const file = userFile(connection.parameter('servicefile'), env)
  for (const each of [file, ...systemFiles(env)]) {
    const text = readFile(each)
    const parameters = text === undefined ? undefined : parseService(text, service, each.source)
    if (parameters) return addService(plain, parameters, except)
  }
  const wanted = `the name of a service that ${file.source} or the pg_service.conf of the system defines`
  throw new InvalidOptionError(inUrl === undefined ? 'PGSERVICE' : 'service', service, wanted)
}

function systemFiles({ PGSYSCONFDIR }: Environment): readonly ServiceFile[] {
  return systemDirectories(PGSYSCONFDIR, process.platform).map((folder) => ({
    path: `${folder}/pg_service.conf`,
    source: 'the pg_service.conf of the system',
    isNamed: false,
  }))
}

/** On Windows, libpq looks beside its own programs, and a directory such as `/etc` would be one that every user may make. */
export function systemDirectories(sysconfdir: string | undefined, platform: NodeJS.Platform): readonly string[] {
  if (sysconfdir) return [sysconfdir]
  return platform === 'win32' ? [] : SYSTEM_DIRECTORIES
}

function userFile(servicefile: string | undefined, env: Environment): ServiceFile {
  const { PGSERVICEFILE } = env
  if (servicefile) return { path: servicefile, source: 'the file of the parameter servicefile', isNamed: true }
  if (PGSERVICEFILE) return { path: PGSERVICEFILE, source: 'the file of PGSERVICEFILE', isNamed: true }
  return { ...libpqFile('.pg_service.conf', '.pg_service.conf', surroundings(env)), isNamed: false }
}

/** @returns undefined if a default file is absent. */
function readFile({ path, source, isNamed }: ServiceFile): string | undefined {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(path, 'utf8')
  } catch (error) {
    // Node's error shows the path.
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    if (!isNamed && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new InvalidOptionError('servicefile', HIDDEN, `a file that can be read, but ${source} cannot (${code})`)
  }
}
