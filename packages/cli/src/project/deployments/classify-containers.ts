import { t } from '../../output/translate.ts'
import type { Workload } from '../workload.ts'
import { assumed, type Container, type PoolerInFiles, type ServerInFiles, setTo, valueIn } from './container.ts'

/** Names of images of PostgreSQL. */
export const SERVER_IMAGE: RegExp =
  /^(postgres(ql)?(-repmgr|-ha)?|postgis|pgvector|timescaledb(-ha)?|citus|alloydbomni|supabase-postgres)$/
const POOLER_IMAGE = /pgbouncer(?!.*exporter)/
/** Tools that connect only now and then. */
const TOOL = /exporter|pgadmin|adminer|pgweb|pghero|backup/
/** Programs that finish before the app starts. */
const BEFORE_THE_APP = /migrat|seed/
/** Backing services often share the app's env_file, although they do not connect to the database. */
const BACKING =
  /^(db|database|postgres(ql)?|pg|redis|valkey|cache|rabbitmq|kafka|zookeeper|minio|mailhog|mailpit|nginx|traefik|caddy|memcached)$/
/** Variables with a database address. A database server itself has only a name and a password. */
const ADDRESS =
  /^(\w+_)?(DATABASE_(URL|HOST|URI)|DB_(HOST|HOSTNAME|URL|URI)|POSTGRES(QL)?_(HOST|SERVER|URL|URI|PRISMA_URL)|PG_?HOST|PG_URL|PGBOUNCER_HOST|TYPEORM_(HOST|URL))$/
const POSTGRES_URL = /^postgres(ql)?:/

/** Sorts containers into PostgreSQL servers, poolers, and apps that connect to them. Drops everything else. */
export function classifyContainers(containers: readonly Container[]): {
  servers: ServerInFiles[]
  poolers: PoolerInFiles[]
  workloads: Workload[]
  commands: Pick<Container, 'name' | 'words' | 'place'>[]
} {
  const serverContainers = containers.filter(isServer)
  const poolerContainers = containers.filter(isPooler)
  const backends = new Set([...serverContainers, ...poolerContainers].map(({ name }) => name))
  const others = containers.filter((each) => !serverContainers.includes(each) && !poolerContainers.includes(each))
  return {
    servers: serverContainers.map(serverOf),
    poolers: poolerContainers.map(poolerOf),
    workloads: others
      .filter((each) => isApp(each, backends))
      .map((each) => workloadOf(each, isKnownClient(each, backends))),
    commands: containers.map(({ name, words, place }) => ({ name, words, place })),
  }
}

/** Whether a program prepares the database before the app starts. */
export function runsBeforeTheApp({ name, command }: Pick<Workload, 'name' | 'command'>): boolean {
  return BEFORE_THE_APP.test(name) || /\b(migrate|migration:run|db:seed|drizzle-kit)\b/.test(command ?? '')
}

function isServer({ image }: Container): boolean {
  return image !== undefined && SERVER_IMAGE.test(image.name)
}

function isPooler({ image }: Container): boolean {
  return image !== undefined && POOLER_IMAGE.test(image.name)
}

function isApp(container: Container, backends: ReadonlySet<string>): boolean {
  const { name, image, kind, hasUnknownEnvironment } = container
  if (TOOL.test(image?.name ?? '') || TOOL.test(name) || BACKING.test(name) || BACKING.test(image?.name ?? ''))
    return false
  if (kind === 'service' && runsBeforeTheApp({ name, command: commandOf(container) })) return false
  return hasUnknownEnvironment || isKnownClient(container, backends)
}

/** Whether the files say that a container connects to PostgreSQL. */
function isKnownClient({ variables, unknownVariables, dependsOn }: Container, backends: ReadonlySet<string>): boolean {
  const names = [...variables.keys(), ...unknownVariables]
  return (
    dependsOn.some((other) => backends.has(other)) ||
    names.some((each) => ADDRESS.test(each)) ||
    [...variables.values()].some(({ value }) => POSTGRES_URL.test(value))
  )
}

function workloadOf(container: Container, isKnown: boolean): Workload {
  const { name, kind, place, instances, surge, processes, variables, unknownVariables, app } = container
  return {
    name,
    kind,
    place,
    instances,
    surge,
    processes,
    variables,
    unknownVariables,
    app,
    command: commandOf(container),
    isKnownClient: isKnown,
  }
}

function commandOf({ words }: Pick<Container, 'words'>): string | undefined {
  return words.length === 0 ? undefined : words.map(({ text }) => text).join(' ')
}

/** `-c max_connections=200`, `--max-connections=200` or bitnami's variable; PostgreSQL's default is 100. */
function serverOf({ name, place, image, variables, words }: Container): ServerInFiles {
  const bitnami = variables.get('POSTGRESQL_MAX_CONNECTIONS')
  const inVariable = /bitnami/.test(image?.written ?? '') ? bitnami : undefined
  const setting = words.findLast(({ text }) => MAX_CONNECTIONS.test(text))
  const [, digits = '100'] = MAX_CONNECTIONS.exec(setting?.text ?? '') ?? []
  const maxConnections =
    inVariable && /^\d{1,6}$/.test(inVariable.value)
      ? setTo(Number(inVariable.value), 'POSTGRESQL_MAX_CONNECTIONS', inVariable.place)
      : setting
        ? setTo(Number(digits), 'max_connections', setting.place)
        : assumed(100, t`PostgreSQL's default of max_connections`)
  return { name, place, image, maxConnections, variables, words }
}

const MAX_CONNECTIONS = /max[_-]connections\s*=\s*'?(\d{1,6})/

function poolerOf({ name, place, image, variables, instances, surge, maxFiles }: Container): PoolerInFiles {
  return { name, place, image, processes: instances.most.value + surge.value, variables, maxFiles }
}

/** The host of a workload's database, if the environment names it. */
export function databaseHost(
  { variables }: Pick<Workload, 'variables'>,
  urlVariable: string | undefined,
): string | undefined {
  const url = valueIn(variables, urlVariable ?? 'DATABASE_URL')
  const fromUrl =
    url === undefined ? undefined : /^postgres(?:ql)?:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?,]+)/.exec(url)?.[1]
  if (fromUrl !== undefined || url !== undefined) return fromUrl
  const names = [...variables.keys()].filter((name) => /(^|_)(HOST|HOSTNAME|SERVER)$/.test(name) && ADDRESS.test(name))
  return names.map((name) => valueIn(variables, name)).find((value) => value)
}
