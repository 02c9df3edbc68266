import { RowReader } from '../row-reader.ts'
import type { Identity, ProbeSession } from './probe.ts'
import type { DirectTopology, PoolerTopology, PreparedStatements } from './topology.ts'

const MODES = ['session', 'transaction', 'statement'] as const
/** Longer than any version. */
const MAX_VERSION_LENGTH = 100
/** PostgreSQL does not limit statement names, but ours and those of poolers are shorter. */
const MAX_NAME_LENGTH = 63

/**
 * Reads the parameters that PgBouncer reports at login since 1.26 (https://www.pgbouncer.org/changelog.html). Returns undefined
 * for invalid values, so that the topology is detected by probes.
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

/** PostgreSQL's version as reported at login; null if missing or too long. */
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
 * Decides between a server, which announces the pid of its backend at login, and a pooler, which makes one up. One connection does
 * not show the mode of a pooler, so the verdict assumes transaction mode, the more restrictive one.
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
      `the name on the server of the statement prepared as ${chosenName}: ${serverName?.slice(0, MAX_NAME_LENGTH) ?? 'none'}`,
    ],
  }
}

/** A pooler that renames statements tracks them; one that passes our name on does not. */
function judgeStatementName(chosenName: string, serverName: string | null): PreparedStatements {
  if (serverName === null) return 'unknown'
  return serverName === chosenName ? 'unsafe' : 'safe'
}
