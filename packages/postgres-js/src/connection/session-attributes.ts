import type { PostgresConnection } from './postgres-connection.ts'

/** What `target_session_attrs` asks of a server, of those that postgres.js knows. */
export type SessionAttributes = 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'

/** Whether a server is what is wanted. Since PostgreSQL 14 it says so at login, before that it is asked. */
export async function fits(connection: PostgresConnection, wanted: SessionAttributes): Promise<boolean> {
  const reported = connection.parameters
  const standby = reported.in_hot_standby ?? (await askOne(connection, 'select pg_catalog.pg_is_in_recovery()'))
  const isStandby = standby === 'on' || standby === 't'
  if (wanted === 'primary') return !isStandby
  if (wanted === 'standby' || wanted === 'prefer-standby') return isStandby
  const readOnly =
    isStandby ||
    (reported.default_transaction_read_only ?? (await askOne(connection, 'show transaction_read_only'))) === 'on'
  return readOnly === (wanted === 'read-only')
}

async function askOne(connection: PostgresConnection, text: string): Promise<string | null | undefined> {
  return (await connection.ask(text))[0]?.[0]
}
