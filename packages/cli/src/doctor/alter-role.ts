import pg from 'pg'

/** SQL to paste: sets a parameter for all new sessions of a role. */
export function alterRole(role: string, setting: string, value: string): string {
  return `ALTER ROLE ${pg.escapeIdentifier(role)} SET ${setting} = ${pg.escapeLiteral(value)}`
}
