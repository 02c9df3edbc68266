import type { PostgresConnection } from './postgres-connection.ts'

/** The values of `target_session_attrs` that postgres.js supports. */
export type SessionAttributes = 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'

/** Whether a server has the wanted attributes. PostgreSQL 14 and newer report them at login; older versions are queried. */
export async function matchesAttributes(connection: PostgresConnection, wanted: SessionAttributes): Promise<boolean> {
  const reported = connection.parameters
  const standby =
    reported.get('in_hot_standby') ?? (await connection.askRow('select pg_catalog.pg_is_in_recovery()'))?.[0]
  const isStandby = standby === 'on' || standby === 't'
  if (wanted === 'primary') return !isStandby
  if (wanted === 'standby' || wanted === 'prefer-standby') return isStandby
  const readOnly =
    isStandby ||
    (reported.get('default_transaction_read_only') ?? (await connection.askRow('show transaction_read_only'))?.[0]) ===
      'on'
  return readOnly === (wanted === 'read-only')
}
