import type { Identity, ProbeSession } from './probe.ts'
import type { DirectTopology, PoolerTopology, PreparedStatements } from './topology.ts'

/** PgBouncer reports these parameters at login since 1.26 (https://www.pgbouncer.org/changelog.html). */
export function announcedPooler(parameters: ReadonlyMap<string, string>): PoolerTopology | undefined {
  const version = parameters.get('pgbouncer.version')
  const mode = parameters.get('pgbouncer.pool_mode')
  if (version === undefined || (mode !== 'session' && mode !== 'transaction' && mode !== 'statement')) return undefined
  const statements = Number(parameters.get('pgbouncer.max_prepared_statements') ?? 0)
  return {
    kind: 'pooler',
    pooler: {
      name: 'PgBouncer',
      version,
      mode,
      proven: true,
      ...(statements > 0 && { maxPreparedStatements: statements }),
    },
    server: { version: parameters.get('server_version') ?? null },
    preparedStatements: mode === 'session' || statements > 0 ? 'safe' : 'unsafe',
    evidence: [`announced at login: PgBouncer ${version}, pool_mode ${mode}, max_prepared_statements ${statements}`],
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
  const server = { version: parameters.get('server_version') ?? null }
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
      `the server knows a statement prepared as ${chosenName} as ${serverName ?? 'nothing'}`,
    ],
  }
}

/** A pooler that gives statements names of its own keeps track of them; one that passes ours on does not. */
function judgeStatementName(chosenName: string, serverName: string | null): PreparedStatements {
  if (serverName === null) return 'unknown'
  return serverName === chosenName ? 'unsafe' : 'safe'
}
