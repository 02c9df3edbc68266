import { parseEnv } from 'node:util'
import { parse } from 'yaml'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { ProjectFolder } from '../project/project-folder.ts'
import { MARK } from './generated-file.ts'

/** Docker Compose reads the first of these: https://docs.docker.com/compose/intro/compose-application-model/ */
const DEFAULT_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']

/** The parts of a project's compose file that an override has to know. */
export interface ExistingCompose {
  readonly file: string
  readonly services: Readonly<Record<string, ExistingService>>
  /** Variables of `.env`, which Compose puts into the file. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

export interface ExistingService {
  /** The last part of the image's name. */
  readonly image: string
  readonly hasCommand: boolean
  readonly hasHealthcheck: boolean
  /** Values as written, with Compose's variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly hasEnvFile: boolean
  readonly dependsOn: readonly string[]
}

/**
 * Reads the compose file that Docker uses in this folder. Undefined without one, or if poolguard has generated it.
 *
 * @throws {CannotRunError} if the file cannot be read: an override has to fit it.
 */
export function readExistingCompose(path: string): ExistingCompose | undefined {
  const folder = new ProjectFolder(path)
  const file = DEFAULT_FILES.find((name) => folder.has(name))
  if (file === undefined) return undefined
  const read = folder.read(file, 'YAML', (text) =>
    text.startsWith(`# ${MARK}`) ? ('ours' as const) : parse(text, { merge: true, logLevel: 'error' }),
  )
  if (read === 'ours') return undefined
  if (folder.unread.length > 0) {
    throw new CannotRunError(t`${folder.unread.join(', ')}: repair it, or choose another directory (--out).`)
  }
  const services = Object.entries(recordOf(recordOf(read).services))
  return {
    file,
    services: Object.fromEntries(services.map(([name, written]) => [name, readService(recordOf(written))])),
    variables: folder.read('.env', 'variables', (text) => parseEnv(text)) ?? {},
  }
}

function readService(written: Readonly<Record<string, unknown>>): ExistingService {
  const { image, command, healthcheck, environment, env_file, depends_on } = written
  const [name = ''] = String(image ?? '').split('@')
  return {
    image: (name.split('/').at(-1) ?? '').split(':')[0] ?? '',
    hasCommand: command !== undefined && command !== null,
    hasHealthcheck: healthcheck !== undefined && healthcheck !== null,
    environment: variablesOf(environment),
    hasEnvFile: env_file !== undefined && env_file !== null,
    dependsOn: Array.isArray(depends_on) ? depends_on.map(String) : Object.keys(recordOf(depends_on)),
  }
}

function variablesOf(environment: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(environment)) {
    return Object.fromEntries(Object.entries(recordOf(environment)).map(([name, value]) => [name, String(value ?? '')]))
  }
  const lines = environment.map(String).map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)])
  return Object.fromEntries(lines)
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
