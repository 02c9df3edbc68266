import { parseEnv } from 'node:util'
import { parse } from 'yaml'
import type { AppService, ComposeFacts, PoolerSettings } from './project-facts.ts'
import type { ProjectFolder } from './project-folder.ts'

const FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']

/** The last part of an image's name, without the tag. */
const SERVER_IMAGE = /^(postgres(ql)?(-repmgr|-ha)?|postgis|pgvector|timescaledb(-ha)?|citus|alloydbomni)$/
/** Tools that connect only now and then, and migrations, which finish before the app starts. */
const NO_APP = /exporter|pgadmin|adminer|pgweb|pghero|backup|migrat|seed/
/** Variables with a database address. A database server itself has only a name and a password. */
const ADDRESS = /^(DATABASE_URL|POSTGRES_(HOST|SERVER|URL)|PG_?HOST|DB_(HOST|URL))/

/** Backing services often share the app's env_file, although they do not connect to the database. */
const BACKING = /^(db|database|postgres(ql)?|pg|redis|cache)$/

/** The relevant parts of a service. */
interface Service {
  readonly name: string
  readonly image: string
  readonly variables: Readonly<Record<string, string>>
  readonly written: Written
}

type Written = Readonly<Record<string, unknown>>

/** Reads the compose file of a folder: https://docs.docker.com/reference/compose-file/ */
export function readCompose(folder: ProjectFolder): { facts: ComposeFacts; pgBouncer?: PoolerSettings } | undefined {
  const file = FILES.find((name) => folder.has(name))
  if (file === undefined) return undefined
  return folder.read(file, 'YAML', (text) =>
    readServices(folder, file, parse(text, { merge: true, logLevel: 'error' })),
  )
}

function readServices(
  folder: ProjectFolder,
  file: string,
  written: unknown,
): { facts: ComposeFacts; pgBouncer?: PoolerSettings } {
  const services = Object.entries(recordOf(recordOf(written).services)).map(([name, service]) =>
    readService(folder, name, recordOf(service)),
  )
  const pooler = services.find(({ image }) => /pgbouncer(?!.*exporter)/.test(image))
  const server = services.find(({ image }) => SERVER_IMAGE.test(image))
  const nofile = recordOf(pooler?.written.ulimits).nofile
  const poolerFiles = numberOf(recordOf(nofile).soft ?? nofile)
  return {
    facts: {
      file,
      apps: services.filter((service) => service !== pooler && isApp(service)).map(appService),
      ...(server && { maxConnections: maxConnectionsOf(server) }),
      ...(poolerFiles !== undefined && { poolerFiles }),
    },
    ...(pooler && {
      pgBouncer: { source: `${file}, service ${pooler.name}`, values: poolerValues(pooler), databases: 1 },
    }),
  }
}

function readService(folder: ProjectFolder, name: string, written: Written): Service {
  const image = String(written.image ?? '').split('@')[0] ?? ''
  const last = image.split('/').at(-1) ?? ''
  const fromFiles = BACKING.test(name) ? {} : variablesInFiles(folder, written.env_file)
  const variables = { ...fromFiles, ...variablesOf(written.environment) }
  return { name, image: last.split(':')[0] ?? '', variables, written }
}

/** Variables from `env_file`: one or several, as a path or an object with a path; later files win. */
function variablesInFiles(folder: ProjectFolder, files: unknown): Readonly<Record<string, string>> {
  const paths = [files].flat().map((file) => (typeof file === 'string' ? file : recordOf(file).path))
  const read = paths
    .filter((path) => typeof path === 'string')
    .map((path) => folder.read(path, 'variables', (text) => parseEnv(text) as Record<string, string>))
  return Object.assign({}, ...read)
}

function isApp({ name, image, variables }: Service): boolean {
  if (SERVER_IMAGE.test(image) || NO_APP.test(image) || NO_APP.test(name)) return false
  return Object.entries(variables).some(([name, value]) => ADDRESS.test(name) || /^postgres(ql)?:/.test(value))
}

function appService({ name, written }: Service): AppService {
  const deploy = recordOf(written.deploy)
  const { order, parallelism } = recordOf(deploy.update_config)
  const replicas = numberOf(deploy.replicas) ?? numberOf(written.scale) ?? 1
  // A parallelism of 0 updates all replicas at the same time.
  const atOnce = (numberOf(parallelism) ?? 1) || replicas
  return { name, replicas, surge: order === 'start-first' ? Math.min(atOnce, replicas) : 0 }
}

/** PostgreSQL's default is 100. */
function maxConnectionsOf({ written: { command } }: Service): number {
  const text = Array.isArray(command) ? command.join(' ') : String(command ?? '')
  return Number(/max_connections\s*=\s*'?(\d+)/.exec(text)?.[1] ?? 100)
}

/** PgBouncer images take settings as upper-case variables, some with a prefix. */
function poolerValues({ variables }: Service): ReadonlyMap<string, string> {
  const entries = Object.entries(variables)
  return new Map(entries.map(([name, value]) => [name.toLowerCase().replace(/^pgbouncer_/, ''), value]))
}

function variablesOf(environment: unknown): Record<string, string> {
  if (!Array.isArray(environment)) {
    return Object.fromEntries(Object.entries(recordOf(environment)).map(([name, value]) => [name, String(value ?? '')]))
  }
  const lines = environment.map(String)
  return Object.fromEntries(lines.map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]))
}

function recordOf(value: unknown): Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Written) : {}
}

/** A whole number, or the default of a variable: `${REPLICAS:-3}`. */
function numberOf(value: unknown): number | undefined {
  const digits = /^(?:\$\{\w+:?-)?(\d+)\}?$/.exec(String(value))?.[1]
  return digits === undefined ? undefined : Number(digits)
}
