import pg from 'pg'

/** A statement that sets something for all new sessions of a role, ready to be pasted. */
export function alterRole(role: string, setting: string, value: string): string {
  return `ALTER ROLE ${pg.escapeIdentifier(role)} SET ${setting} = ${pg.escapeLiteral(value)}`
}
