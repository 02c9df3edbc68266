import type { Topology } from '@poolguard/core'
import { guessProvider, parseConnectionString } from '@poolguard/core/postgres'
import type { PoolerFacts } from '../../database/read-pooler-facts.ts'
import type { ServerFacts } from '../../database/server-facts.ts'
import type { AppInProject } from '../../project/apps/app-in-project.ts'
import type { PoolInSource } from '../../project/pool-in-source.ts'
import type { PoolerSettings, ProjectFacts, StatementSetting } from '../../project/project-facts.ts'
import type { Session } from '../../sessions/session.ts'
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
  sessions: [],
  unlisted: 0,
  readAtSeconds: 1_795_913_581.4,
  limits: [],
  preparedTransactions: [],
  inactiveSlots: [],
  load: undefined,
  idleInTransactionTimeoutMillis: 60_000,
  boundsOtherRoles: false,
  seesAll: true,
}

/** A pooler in transaction mode. */
export function pooled(preparedStatements: Topology['preparedStatements']): ServerFacts {
  const pooler = { name: 'PgBouncer', version: '1.24.1', mode: 'transaction', proven: true } as const
  return { ...SERVER, topology: { ...DIRECT, kind: 'pooler', pooler, preparedStatements } }
}

/** An idle session of the app. */
export function session(pid: number, changes: Partial<Session> = {}): Session {
  return {
    ...{ pid, startedAt: `${1_795_900_000 + pid}.5`, changedAt: '1795913500.25', kind: 'client' },
    ...{ application: 'orders', role: 'app', database: 'app', address: '10.0.0.5', port: 40_000 + pid },
    ...{ state: 'idle', ageSeconds: 600, transactionSeconds: null, stateSeconds: 5, querySeconds: 6 },
    ...{ waitEvent: 'Client: ClientRead', query: 'select 1', lockWaitSeconds: null, blockedBy: [] },
    ...{ isProtected: false, isOwn: false, isSameRole: true, isSameDatabase: true },
    ...changes,
  }
}

/** Sessions of one process, with consecutive pids. */
export function sessions(count: number, changes: Partial<Session> = {}, firstPid = 100): readonly Session[] {
  return Array.from({ length: count }, (_, index) => session(firstPid + index, changes))
}

export function statement(kind: StatementSetting['kind']): StatementSetting {
  return { file: 'src/db.ts', line: 4, kind }
}

/** An app of a monorepo. */
export function appOf(folder: string, drivers: AppInProject['drivers']): AppInProject {
  return {
    ...{ folder, name: folder, drivers, packages: new Map(), dependsOn: [], pools: [], prismaDirectUrl: undefined },
    environment: { variables: {}, used: [], others: [], ignored: [] },
  }
}

/** A pool in the sources of the app. */
export function pool(max: number | undefined, overrides: Partial<PoolInSource> = {}): PoolInSource {
  return {
    ...{
      file: 'src/db.ts',
      line: 4,
      library: 'pg',
      max,
      maxFrom: { kind: 'literal' },
      maxFile: 'src/db.ts',
      maxLine: 4,
    },
    ...{ pools: 1, per: 'process', role: 'app', guarded: false, urlVariable: 'DATABASE_URL', app: '' },
    ...overrides,
  }
}

export function pgBouncer(values: Readonly<Record<string, number | string>>, databases = 1): PoolerSettings {
  const texts = Object.entries(values).map(([name, value]) => [name, String(value)] as const)
  return { source: 'pgbouncer.ini', values: new Map(texts), databases }
}

const PROJECT: ProjectFacts = {
  packages: new Map([['pg', '^8.23.0']]),
  drivers: ['pg'],
  isWorkspaceRoot: false,
  apps: [],
  pools: [],
  statements: [],
  urlParameters: [],
  deployments: { deployments: [], builds: [], read: [], ignored: [] },
  pgBouncer: undefined,
  prismaDirectUrl: undefined,
  unread: [],
}

/** Answers of PgBouncer's console: one database, and a pool for each user. */
export function poolerConsole(
  values: Readonly<Record<string, number | string>>,
  users: readonly string[],
): PoolerFacts {
  const setting = (value: number | string) => ({ value: String(value), default: null, changeable: true })
  const none = { clientsActive: 0, clientsWaiting: 0, serversActive: 0, serversIdle: 0, serversUsed: 0 }
  return {
    version: '1.24.1',
    config: new Map(Object.entries(values).map(([name, value]) => [name, setting(value)] as const)),
    databases: [],
    clients: [],
    servers: [],
    users: [],
    localProcesses: new Map(),
    pools: users.map((user) => ({
      ...none,
      ...{ serversTested: 0, serversLogin: 0, maxWaitMillis: 0 },
      ...{ database: 'app', user, poolMode: 'transaction' },
    })),
  }
}

export interface FactsInput extends Partial<Omit<Facts, 'target' | 'project'>> {
  /** Null: no address is known. */
  readonly url?: string | null
  readonly project?: Partial<ProjectFacts>
}

/** A healthy project and a healthy server, with overrides. */
export function factsOf({ url = 'postgresql://app:s3cret@db/app', project, ...rest }: FactsInput = {}): Facts {
  const target = url === null ? undefined : parseConnectionString(url)
  return {
    target: target && { url: target, source: 'DATABASE_URL' },
    otherTargets: [],
    hasDirectUrl: false,
    endpoint: target && guessProvider(target)?.endpoint,
    server: undefined,
    unreached: undefined,
    pooler: undefined,
    scope: {},
    ...rest,
    project: { ...PROJECT, ...project },
  }
}
