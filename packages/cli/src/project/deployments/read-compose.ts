import { t } from '../../output/translate.ts'
import type { ProjectFolder } from '../project-folder.ts'
import type { Amount, WorkloadVariable } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { COMPOSE_FILE, type ComposeVariant, composeVariants, hiddenComposeFiles } from './compose-variants.ts'
import { type Container, type Deployment, fixed, parseImage, setTo } from './container.ts'
import { readEnvFileOf } from './env-file.ts'
import { FileValue } from './file-value.ts'
import { interpolate } from './interpolate.ts'
import { asMap, mergeCompose } from './merge-compose.ts'
import { readDockerfileCommand } from './read-dockerfile.ts'
import { readWords } from './read-words.ts'
import { readYaml } from './read-yaml.ts'
import type { Reading } from './reading.ts'

/** Services with these profiles are tools, which do not run in production. */
const TOOL_PROFILE = /^(tools?|debug|dev(elopment)?|test(s|ing)?|e2e|ci|seed|migrat\w*|admin|monitoring)$/

/** Reads all compose files of a project: https://docs.docker.com/reference/compose-file/ */
export function readCompose(folder: ProjectFolder, paths: readonly string[], reading: Reading): readonly Deployment[] {
  const files = paths.filter((path) => COMPOSE_FILE.test(nameOf(path)))
  const parsed = new Map(
    files.flatMap((path) => {
      const value = folder.read(path, 'YAML', (text) => readYaml(text, path)[0] ?? new FileValue({ file: path }))
      return value ? [[path, value] as const] : []
    }),
  )
  const variants = composeVariants([...parsed.keys()], (path) => isComplete(parsed.get(path)))
  for (const path of hiddenComposeFiles([...parsed.keys()], variants)) {
    reading.ignored.push(t`${path} (docker compose reads another file of this directory first)`)
  }
  for (const path of parsed.keys()) reading.read.push(path)
  return variants.map((variant) => new ComposeReader(folder, variant, parsed, reading).deployment())
}

/** Whether every service of a file has an image, or is built. */
function isComplete(file: FileValue | undefined): boolean {
  const services = file?.at('services').entries ?? []
  return services.every(([, service]) => ['image', 'build', 'extends'].some((key) => !service.at(key).isMissing))
}

/** Reads the services of one variant. */
class ComposeReader {
  readonly #folder: ProjectFolder
  readonly #variant: ComposeVariant
  readonly #file: FileValue
  readonly #reading: Reading
  /** Variables for `${NAME}`: docker compose reads `.env` next to the file. */
  readonly #environment: Readonly<Record<string, string>>
  readonly #assumed: string[] = []

  constructor(
    folder: ProjectFolder,
    variant: ComposeVariant,
    parsed: ReadonlyMap<string, FileValue>,
    reading: Reading,
  ) {
    this.#folder = folder
    this.#variant = variant
    this.#reading = reading
    const values = variant.files.flatMap((path) => parsed.get(path) ?? [])
    this.#file = values.reduce((base, override) => mergeCompose(base, override))
    const dotenv = readEnvFileOf(folder, this.#path('.env')) ?? new Map<string, WorkloadVariable>()
    this.#environment = Object.fromEntries([...dotenv].map(([name, { value }]) => [name, value]))
  }

  deployment(): Deployment {
    const name = this.#variant.files.join(' + ')
    if (!this.#file.at('include').isMissing) this.#reading.ignored.push(`${name}: include`)
    const services = this.#file.at('services').entries.filter(([service, value]) => this.#isStarted(service, value))
    const containers = services.map(([service, value]) => this.#container(service, this.#extended(value)))
    return { name, ...classifyContainers(containers), assumed: this.#assumed }
  }

  #isStarted(service: string, value: FileValue): boolean {
    const profiles = value.at('profiles').texts
    if (profiles.length === 0) return true
    const enabled = this.#environment.COMPOSE_PROFILES?.split(',').map((profile) => profile.trim())
    if (enabled) return enabled.includes('*') || profiles.some((profile) => enabled.includes(profile))
    const isTool = profiles.every((profile) => TOOL_PROFILE.test(profile))
    if (isTool) this.#reading.ignored.push(t`${value.place.file}: service ${service} (profile ${profiles.join(', ')})`)
    else this.#assumed.push(t`Assumed that profile ${profiles.join(', ')} is enabled, which starts ${service}.`)
    return !isTool
  }

  /** `extends: { service, file }` */
  #extended(value: FileValue, depth = 0): FileValue {
    const from = value.at('extends')
    const service = from.text ?? from.at('service').text
    if (service === undefined || depth > 10) return value
    const file = from.at('file').text
    const services = file === undefined ? this.#file : this.#parse(this.#path(file))
    const base = services?.at('services', service) ?? new FileValue(value.place)
    return mergeCompose(this.#extended(base, depth + 1), value)
  }

  #parse(path: string): FileValue | undefined {
    return this.#folder.read(path, 'YAML', (text) => readYaml(text, path)[0])
  }

  #container(name: string, service: FileValue): Container {
    const image = parseImage(this.#text(service.at('image')), service.at('image').place)
    const { variables, unknownVariables, isIncomplete } = this.#variables(service)
    const app = this.#buildContext(service)
    const own = [...readWords(service.at('entrypoint')), ...readWords(service.at('command'))]
    const words =
      own.length > 0 || app === undefined ? own : readDockerfileCommand(this.#folder, this.#dockerfile(service))
    const replicas = this.#replicas(service)
    const nofile = service.at('ulimits', 'nofile')
    return {
      ...{ name, kind: 'service', place: service.place, image, variables, unknownVariables, words },
      instances: { usual: replicas, most: replicas },
      surge: this.#surge(service, replicas.value),
      processes: fixed(1, 'one process for each container'),
      app: app === undefined ? undefined : appOf(app, service.at('build', 'dockerfile').text),
      dependsOn: [...service.at('depends_on').texts, ...service.at('depends_on').entries.map(([other]) => other)],
      hasUnknownEnvironment: isIncomplete && app !== undefined,
      maxFiles: this.#count(nofile.at('soft').isMissing ? nofile : nofile.at('soft')),
    }
  }

  #replicas(service: FileValue): Amount {
    const deploy = service.at('deploy', 'replicas')
    const written = deploy.isMissing ? service.at('scale') : deploy
    const count = this.#count(written)
    if (count !== undefined) return setTo(count, deploy.isMissing ? 'scale' : 'deploy.replicas', written.place)
    if (!written.isMissing)
      this.#assumed.push(t`Assumed 1 instance of ${service.place.file}: ${written.text} is unknown.`)
    return { ...fixed(1, 'no replicas set', service.place), ...(!written.isMissing && { isAssumed: true }) }
  }

  /** `order: start-first` starts new replicas before it stops old ones. A parallelism of 0 updates all at the same time. */
  #surge(service: FileValue, replicas: number): Amount {
    const update = service.at('deploy', 'update_config')
    if (update.at('order').text !== 'start-first') return fixed(0, 'replicas are stopped before new ones start')
    const atOnce = (this.#count(update.at('parallelism')) ?? 1) || replicas
    return fixed(Math.min(atOnce, replicas), 'update_config.order: start-first', update.at('order').place)
  }

  #variables(service: FileValue) {
    const variables = new Map<string, WorkloadVariable>()
    const unknownVariables = new Set<string>()
    let isIncomplete = false
    for (const file of this.#envFiles(service)) {
      const read = readEnvFileOf(this.#folder, this.#path(file))
      if (!read) isIncomplete = true
      for (const [name, variable] of read ?? []) variables.set(name, variable)
    }
    for (const [name, written] of asMap(service.at('environment')).entries) {
      // A name without a value takes the value of the shell or of .env.
      const value = written.isMissing ? this.#environment[name] : this.#text(written)
      variables.delete(name)
      if (value === undefined) unknownVariables.add(name)
      else variables.set(name, { value, place: written.place })
    }
    return { variables, unknownVariables, isIncomplete }
  }

  /** One or several, as a path or as an object with a path. */
  #envFiles(service: FileValue): readonly string[] {
    const value = service.at('env_file')
    const files = value.items.length > 0 ? value.items : [value]
    return files
      .flatMap((each) => each.text ?? each.at('path').text ?? [])
      .flatMap((path) => interpolate(path, this.#environment) ?? [])
  }

  #buildContext(service: FileValue): string | undefined {
    const build = service.at('build')
    if (build.isMissing && !build.isMap) return undefined
    return this.#path(build.text ?? build.at('context').text ?? '.')
  }

  #dockerfile(service: FileValue): string {
    const file = service.at('build', 'dockerfile').text ?? 'Dockerfile'
    return normalize(`${this.#buildContext(service) ?? ''}/${file}`)
  }

  #text({ text }: FileValue): string | undefined {
    return text === undefined ? undefined : interpolate(text, this.#environment)
  }

  #count(value: FileValue): number | undefined {
    const text = this.#text(value)
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
  }

  /** A path that is relative to the compose file, relative to the project's root. */
  #path(path: string): string {
    return normalize(`${this.#variant.directory}/${path}`)
  }
}

/** The directory of the app: the build context, or the Dockerfile's directory below it. */
function appOf(context: string, dockerfile: string | undefined): string {
  const directory = dockerfile?.includes('/') ? dockerfile.split('/').slice(0, -1).join('/') : ''
  return normalize(`${context}/${directory}`)
}

/** Removes `.` and resolves `..` where it stays below the root; the reader of files rejects other paths. */
function normalize(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? ''
}
