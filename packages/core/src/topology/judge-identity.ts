import { RowReader } from '../row-reader.ts'
import type { Identity, ProbeSession } from './probe.ts'
import type { DirectTopology, PoolerTopology, PreparedStatements } from './topology.ts'

const MODES = ['session', 'transaction', 'statement'] as const
/** Longer texts are no version. */
const MAX_VERSION_LENGTH = 100
/** PostgreSQL cuts names of statements nowhere, but ours and those of poolers are shorter. */
const MAX_NAME_LENGTH = 63

/**
 * PgBouncer reports these parameters at login since 1.26 (https://www.pgbouncer.org/changelog.html). What is announced but
 * cannot be true is not believed: then it is measured.
 */
export function announcedPooler(parameters: ReadonlyMap<string, string>): PoolerTopology | undefined {
  const version = shortVersion(parameters.get('pgbouncer.version'))
  const mode = MODES.find((each) => each === parameters.get('pgbouncer.pool_mode'))
  const statements = announcedStatements(parameters.get('pgbouncer.max_prepared_statements') ?? '0')
  if (version === null || mode === undefined || statements === undefined) return undefined
  return {
    kind: 'pooler',
    pooler: {
      name: 'PgBouncer',
      version,
      mode,
      proven: true,
      ...(statements > 0 && { maxPreparedStatements: statements }),
    },
    server: { version: serverVersion(parameters) },
    preparedStatements: mode === 'session' || statements > 0 ? 'safe' : 'unsafe',
    evidence: [`announced at login: PgBouncer ${version}, pool_mode ${mode}, max_prepared_statements ${statements}`],
  }
}

/** PostgreSQL's version as it was reported at login; null where it was not, or where no version is that long. */
export function serverVersion(parameters: ReadonlyMap<string, string>): string | null {
  return shortVersion(parameters.get('server_version'))
}

function shortVersion(text: string | undefined): string | null {
  return text === undefined || text.length > MAX_VERSION_LENGTH ? null : text
}

function announcedStatements(text: string): number | undefined {
  try {
    return new RowReader('the login', { max_prepared_statements: text }).integer('max_prepared_statements')
  } catch {
    return undefined
  }
}

/**
 * A server announces the pid of its backend at login, a pooler makes one up. Of a pooler, one connection alone does not
 * show the mode: the verdict then assumes transaction mode, in which the least works.
 */
export function judgeIdentity(
  { announcedPid, parameters }: Pick<ProbeSession, 'announcedPid' | 'parameters'>,
  { pid, chosenName, serverName }: Identity,
): DirectTopology | PoolerTopology {
  const server = { version: serverVersion(parameters) }
  if (pid === announcedPid) {
    const evidence = [`the backend's pid is the one announced at login (${pid})`]
    return { kind: 'direct', server, preparedStatements: 'safe', evidence }
  }
  return {
    kind: 'pooler',
    pooler: { name: 'unknown', mode: 'transaction', proven: false },
    server,
    preparedStatements: judgeStatementName(chosenName, serverName),
    evidence: [
      `the backend's pid (${pid}) is not the one announced at login (${announcedPid})`,
      `the server knows a statement prepared as ${chosenName} as ${serverName?.slice(0, MAX_NAME_LENGTH) ?? 'nothing'}`,
    ],
  }
}

/** A pooler that gives statements names of its own keeps track of them; one that passes ours on does not. */
function judgeStatementName(chosenName: string, serverName: string | null): PreparedStatements {
  if (serverName === null) return 'unknown'
  return serverName === chosenName ? 'unsafe' : 'safe'
}
