import type { PostgresConnection } from './postgres-connection.ts'

/** What `target_session_attrs` asks of a server, of those that postgres.js knows. */
export type SessionAttributes = 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'

/** Whether a server is what is wanted. Since PostgreSQL 14 it says so at login, before that it is asked. */
export async function fits(connection: PostgresConnection, wanted: SessionAttributes): Promise<boolean> {
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
