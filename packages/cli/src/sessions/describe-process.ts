import { t } from '../output/translate.ts'
import { type ClientProcess, countStates } from './client-process.ts'
import { sessionData } from './describe-session.ts'
import { isHidden } from './session.ts'

const MAX_PORTS = 3

/**
 * The process in one line, with everything that is known about it.
 *
 * @example
 *   process 4711 on this machine (node dist/main.js), application_name orders, role app, client 10.0.0.5:41002 and 19 more ports
 */
export function describeProcess(process: ClientProcess): string {
  return [describeHolder(process), describeName(process), t`role ${process.role}`, describeClient(process)]
    .filter(Boolean)
    .join(', ')
}

function describeHolder({ localProcess, isBehindPooler }: ClientProcess): string {
  const behind = isBehindPooler ? t`through PgBouncer` : ''
  const holder = localProcess ? t`process ${localProcess.pid} on this machine (${localProcess.command})` : ''
  return [holder, behind].filter(Boolean).join(' ')
}

function describeName({ application, localProcess }: ClientProcess): string {
  if (application) return t`application_name ${application}`
  return localProcess ? '' : t`an app without application_name`
}

function describeClient({ address, ports, sessions }: ClientProcess): string {
  if (address === null) return sessions.some(({ startedAt }) => startedAt === null) ? '' : t`Unix socket`
  const shown = ports.slice(0, MAX_PORTS).join(', ')
  const more = ports.length - MAX_PORTS
  return more > 0 ? t`client ${address}:${shown} and ${more} more ports` : t`client ${address}:${shown}`
}

/** The process in a few words, for a table. */
export function nameProcess({ localProcess, application, role, address, ports }: ClientProcess): string {
  const holder = localProcess ? t`process ${localProcess.pid} (${localProcess.command})` : ''
  const [port, ...more] = ports
  const client =
    address === null || port === undefined ? '' : `${address}:${port}${more.length > 0 ? ` +${more.length}` : ''}`
  return [holder, application, role, client].filter(Boolean).join(', ')
}

/** What the sessions of a process do, for programs, with the session that has not changed for the longest time. */
export function processSummary(process: ClientProcess): Readonly<Record<string, unknown>> {
  const [longest] = process.sessions
    .filter((session) => !isHidden(session))
    .toSorted((a, b) => (b.stateSeconds ?? 0) - (a.stateSeconds ?? 0))
  return {
    ...processData(process),
    ...countStates(process.sessions),
    ...(longest && { longest: sessionData(longest) }),
  }
}

/** Who the process is, for programs. */
export function processData(process: ClientProcess): Readonly<Record<string, unknown>> {
  const { application, role, databases, address, ports, localProcess, isOneProcess, sessions } = process
  return {
    ...{ application, role, databases, address, ports, isOneProcess },
    ...(localProcess && { process: localProcess }),
    connections: sessions.length,
    pids: sessions.map(({ pid }) => pid),
  }
}
