import { readError } from '../../postgres-errors/index.ts'
import type { ServerAddress, TargetSessionAttrs } from './host-plan.ts'
import { describeServer } from './resolve-hosts.ts'
import { describeRole, type SessionRole } from './session-role.ts'

/** SQLSTATE sqlclient_unable_to_establish_sqlconnection: servers have answered, but none is suitable. */
const NO_CONNECTION = '08001'

/** A server has accepted the login, but it is not what the pool wants. */
export class UnsuitableRoleError extends Error {
  static {
    UnsuitableRoleError.prototype.name = 'UnsuitableRoleError'
  }

  readonly code: string = NO_CONNECTION
  readonly role: SessionRole

  constructor(role: SessionRole) {
    super(`the server ${describeRole(role)}`)
    this.role = role
  }
}

/**
 * The error of a pool none of whose servers can be used. Its code is that of the servers if none of them answers, so that it is
 * handled like the error of a single server.
 *
 * @param failures the error of each server.
 */
export function noSuitableHost(
  target: TargetSessionAttrs,
  servers: readonly ServerAddress[],
  failures: readonly unknown[],
): unknown {
  if (failures.length === 1 && !(failures[0] instanceof UnsuitableRoleError)) return failures[0]
  const unsuitable = failures.find((failure) => failure instanceof UnsuitableRoleError)
  const cause = unsuitable ?? failures.at(-1)
  const found = servers.map((server, index) => `${describeServer(server)} ${describeFailure(failures[index])}`)
  const wanted = target === 'any' ? 'no host can be reached' : `connect: no host matches target_session_attrs=${target}`
  const error = new Error(`${wanted}: ${found.join('; ')}`, { cause })
  return Object.assign(error, { code: readError(cause).code })
}

function describeFailure(failure: unknown): string {
  if (failure instanceof UnsuitableRoleError) return describeRole(failure.role)
  const { code, message } = readError(failure)
  return `does not answer (${message || code})`
}
