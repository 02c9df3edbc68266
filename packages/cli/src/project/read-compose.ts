import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { AppService, ComposeFacts, PoolerSettings } from './project-facts.ts'

const FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']

interface Service {
  readonly image?: string
  readonly scale?: number
  readonly command?: string | readonly unknown[]
  readonly environment?: Readonly<Record<string, unknown>> | readonly string[]
  readonly ulimits?: { readonly nofile?: number | { readonly soft?: number } }
  readonly deploy?: {
    readonly replicas?: number
    readonly update_config?: { readonly order?: string; readonly parallelism?: number }
  }
}

/** Reads the compose file of a folder: https://docs.docker.com/reference/compose-file/ */
export function readCompose(folder: string): { facts: ComposeFacts; pgBouncer?: PoolerSettings } | undefined {
  const file = FILES.find((name) => existsSync(join(folder, name)))
  if (file === undefined) return undefined
  const services = readServices(join(folder, file))
  const entries = Object.entries(services)
  const pooler = entries.find(([, { image = '' }]) => image.includes('pgbouncer'))
  const server = entries.find(([, { image = '' }]) => /(^|\/)(postgres|postgresql|postgis|timescaledb)\b/.test(image))
  const apps = entries
    .filter((entry) => entry !== pooler && entry !== server)
    .filter(([, service]) => usesDatabase(service))
  const nofile = pooler?.[1].ulimits?.nofile
  const poolerFiles = typeof nofile === 'object' ? nofile.soft : nofile
  return {
    facts: {
      file,
      apps: apps.map(([name, service]) => appService(name, service)),
      ...(server && { maxConnections: maxConnectionsOf(server[1]) }),
      ...(poolerFiles !== undefined && { poolerFiles }),
    },
    ...(pooler && {
      pgBouncer: { source: `${file}, service ${pooler[0]}`, values: poolerValues(pooler[1]), databases: 1 },
    }),
  }
}

function readServices(file: string): Readonly<Record<string, Service>> {
  try {
    const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as { services?: Record<string, Service> }
    return services ?? {}
  } catch {
    return {}
  }
}

function usesDatabase(service: Service): boolean {
  return Object.entries(variablesOf(service)).some(
    ([name, value]) => /^(DATABASE_URL|POSTGRES_|PG|DB_)/.test(name) || /^postgres(ql)?:/.test(value),
  )
}

function appService(name: string, { scale, deploy }: Service): AppService {
  const replicas = deploy?.replicas ?? scale ?? 1
  const { order, parallelism = 1 } = deploy?.update_config ?? {}
  // A parallelism of 0 updates all at once.
  return { name, replicas, surge: order === 'start-first' ? Math.min(parallelism || replicas, replicas) : 0 }
}

/** PostgreSQL's default is 100. */
function maxConnectionsOf({ command = '' }: Service): number {
  const text = typeof command === 'string' ? command : command.join(' ')
  return Number(/max_connections\s*=\s*'?(\d+)/.exec(text)?.[1] ?? 100)
}

/** The images take PgBouncer's settings as variables, in capitals, some with a prefix. */
function poolerValues(service: Service): ReadonlyMap<string, string> {
  const entries = Object.entries(variablesOf(service))
  return new Map(entries.map(([name, value]) => [name.toLowerCase().replace(/^pgbouncer_/, ''), value]))
}

function variablesOf({ environment = {} }: Service): Record<string, string> {
  const isList = (value: typeof environment): value is readonly string[] => Array.isArray(value)
  if (!isList(environment))
    return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]))
  return Object.fromEntries(environment.map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]))
}
