import type { Session } from '../sessions/session.ts'
import { endpointKey, findLocalProcesses } from './find-local-processes.ts'
import type { Endpoint } from './proc-sockets.ts'

/**
 * Adds the process of this machine that holds each connection. Call it while the connection that asked is open: the server's
 * addresses count only if they lead from that connection to this process. Behind a tunnel or a translated address they mean
 * another machine.
 */
export function attributeSessions(sessions: readonly Session[]): readonly Session[] {
  const processes = findLocalProcesses(sessions.flatMap((session) => endpointOf(session) ?? []))
  const processOf = (session: Session) => {
    const endpoint = endpointOf(session)
    return endpoint && processes.get(endpointKey(endpoint))
  }
  const own = sessions.filter(({ isOwn }) => isOwn)
  if (own.length === 0 || own.some((session) => processOf(session)?.pid !== process.pid)) return sessions
  return sessions.map((session) => {
    const localProcess = processOf(session)
    return localProcess ? { ...session, localProcess } : session
  })
}

function endpointOf({ address, port }: Session): Endpoint | undefined {
  return address === null || port === null ? undefined : { address, port }
}
