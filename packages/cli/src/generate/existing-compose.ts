import { parseEnv } from 'node:util'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { COMPOSE_BASES } from '../project/deployments/compose-variants.ts'
import { parseImage } from '../project/deployments/container.ts'
import type { FileValue } from '../project/deployments/file-value.ts'
import { readYaml } from '../project/deployments/read-yaml.ts'
import { ProjectFolder } from '../project/project-folder.ts'
import { MARK } from './generated-file.ts'

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
}

/**
 * Reads the compose file that Docker uses in this folder. Undefined without one, or if poolguard has generated it.
 *
 * @throws {CannotRunError} if the file cannot be read: an override has to fit it.
 */
export function readExistingCompose(path: string): ExistingCompose | undefined {
  const folder = new ProjectFolder(path)
  const file = COMPOSE_BASES.find((name) => folder.has(name))
  if (file === undefined) return undefined
  const read = folder.read(file, 'YAML', (text) =>
    text.startsWith(`# ${MARK}`) ? ('ours' as const) : readYaml(text, file)[0],
  )
  if (read === 'ours') return undefined
  if (folder.unread.length > 0) {
    throw new CannotRunError(t`${folder.unread.join(', ')}: repair it, or choose another directory (--out).`)
  }
  const services = read?.at('services').entries ?? []
  return {
    file,
    services: Object.fromEntries(services.map(([name, service]) => [name, readService(service)])),
    variables: folder.read('.env', 'variables', (text) => parseEnv(text)) ?? {},
  }
}

function readService(service: FileValue): ExistingService {
  return {
    image: parseImage(service.at('image').text, service.place)?.name ?? '',
    hasCommand: !service.at('command').isMissing,
    hasHealthcheck: !service.at('healthcheck').isMissing,
    environment: variablesOf(service.at('environment')),
  }
}

/** A list of `NAME=value`, or a map. */
function variablesOf(environment: FileValue): Readonly<Record<string, string>> {
  const lines = environment.items.map(({ text = '' }) => [text.split('=')[0] ?? '', text.slice(text.indexOf('=') + 1)])
  const pairs = environment.entries.map(([name, { text = '' }]) => [name, text])
  return Object.fromEntries([...lines, ...pairs])
}
