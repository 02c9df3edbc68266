import { guessProvider, parseConnectionString, type Topology } from '@poolguard/core'
import type { ServerFacts } from '../../database/server-facts.ts'
import type { CodeSetting, PoolerSettings, ProjectFacts } from '../../project/project-facts.ts'
import type { Facts } from '../facts.ts'

const DIRECT: Topology = {
  kind: 'direct',
  server: { version: '18.4' },
  preparedStatements: 'safe',
  evidence: ["the backend's pid is the one announced at login (7)"],
}

export const SERVER: ServerFacts = {
  topology: DIRECT,
  version: '18.4',
  role: 'app',
  superuser: false,
  database: 'app',
  capacity: {
    maxConnections: 100,
    reserved: 3,
    roleLimit: null,
    databaseLimit: null,
    used: 4,
    usedByRole: 4,
    usedByDatabase: 4,
  },
  openSlots: 97,
  usage: [],
  load: undefined,
  idleInTransactionTimeoutMillis: 60_000,
  seesAll: true,
  applications: [],
}

/** A pooler in transaction mode. */
export function pooled(preparedStatements: Topology['preparedStatements']): ServerFacts {
  const pooler = { name: 'PgBouncer', version: '1.24.1', mode: 'transaction', proven: true } as const
  return { ...SERVER, topology: { ...DIRECT, kind: 'pooler', pooler, preparedStatements } }
}

export function sessions(connections: number, sameRole = true): ServerFacts['usage'][number] {
  return { application: 'orders', role: 'app', database: 'app', sameRole, sameDatabase: true, connections, hidden: 0 }
}

export function code(kind: CodeSetting['kind'], value = 0): CodeSetting {
  return { file: 'src/db.ts', line: 4, kind, value }
}

export function pgBouncer(values: Readonly<Record<string, number | string>>, databases = 1): PoolerSettings {
  const texts = Object.entries(values).map(([name, value]) => [name, String(value)] as const)
  return { source: 'pgbouncer.ini', values: new Map(texts), databases }
}

const PROJECT: ProjectFacts = {
  packages: new Map([['pg', '^8.23.0']]),
  drivers: ['pg'],
  isWorkspaceRoot: false,
  code: [],
  compose: undefined,
  pgBouncer: undefined,
  prismaDirectUrl: undefined,
  unread: [],
}

export interface FactsInput extends Partial<Omit<Facts, 'target' | 'project'>> {
  readonly url?: string
  readonly project?: Partial<ProjectFacts>
}

/** A healthy project at a healthy server, but for what is given. */
export function factsOf({ url = 'postgresql://app:s3cret@db/app', project, ...rest }: FactsInput = {}): Facts {
  const target = parseConnectionString(url)
  return {
    target: { url: target, source: 'DATABASE_URL' },
    hasDirectUrl: false,
    endpoint: guessProvider(target)?.endpoint,
    server: undefined,
    unreached: undefined,
    pooler: undefined,
    instances: undefined,
    maxSurge: undefined,
    ...rest,
    project: { ...PROJECT, ...project },
  }
}
