import type { TargetSessionAttrs } from './host-plan.ts'

/** What a server allows in a new session. */
export interface SessionRole {
  readonly isStandby: boolean
  readonly isReadOnly: boolean
}

/** One value: whether the server is a standby (`t` or `f`), a space, and whether transactions are read-only (`on` or `off`). */
export const ROLE_QUERY =
  "select pg_catalog.concat(pg_catalog.pg_is_in_recovery(), ' ', pg_catalog.current_setting('transaction_read_only'))"

/** @returns undefined for an answer that is not the query's. */
export function readRole(answer: string | null | undefined): SessionRole | undefined {
  const [, standby, readOnly] = /^(t|f) (on|off)$/.exec(answer ?? '') ?? []
  if (standby === undefined) return undefined
  return { isStandby: standby === 't', isReadOnly: readOnly === 'on' }
}

/**
 * The role that the server has reported. PostgreSQL 14 and later report both parameters at login and with the answer after a change.
 *
 * @param parameterOf the last reported value of a parameter.
 * @returns undefined if the server does not report it.
 */
export function reportedRole(parameterOf: (name: string) => string | undefined): SessionRole | undefined {
  const standby = parameterOf('in_hot_standby')
  const readOnly = parameterOf('default_transaction_read_only')
  if (standby === undefined || readOnly === undefined) return undefined
  return { isStandby: standby === 'on', isReadOnly: standby === 'on' || readOnly === 'on' }
}

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
export function isSuitable({ isStandby, isReadOnly }: SessionRole, target: TargetSessionAttrs): boolean {
  if (target === 'any') return true
  if (target === 'primary') return !isStandby
  if (target === 'standby' || target === 'prefer-standby') return isStandby
  return isReadOnly === (target === 'read-only')
}

/** Whether a connection to an unsuitable server is kept for the case that no server is suitable. */
export function mayBeSpare(target: TargetSessionAttrs): boolean {
  return target === 'prefer-standby'
}

/** As in "b:5432 is a standby". */
export function describeRole({ isStandby, isReadOnly }: SessionRole): string {
  if (isStandby) return 'is a standby'
  return isReadOnly ? 'is a primary whose sessions are read-only' : 'is a primary'
}
