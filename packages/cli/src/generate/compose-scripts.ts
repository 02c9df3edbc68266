import { LOOKUP_ROLE, STATS_USER } from './pgbouncer-ini.ts'
import type { Place } from './place.ts'

/** Where compose puts the secrets of a service: https://docs.docker.com/reference/compose-file/secrets/ */
const SECRETS = '/run/secrets'

/** Written to a tmpfs at each start. */
export const USERLIST = '/tmp/userlist.txt'
/** Mount point of the generated files in both containers. */
export const MOUNTED = '/etc/poolguard'

/** Creates the app's role and PgBouncer's lookup function. The PostgreSQL image runs it once, for a new data directory. */
export function rolesScript({ role, database }: Place): string {
  return `#!/bin/sh
# Creates the app's role, makes it the owner of the database, and lets PgBouncer look up passwords. The PostgreSQL image
# runs this script once, for a new volume.
set -eu

secret() {
  [ -s "${SECRETS}/$1" ] || { echo "The secret $1 is empty: set it in .env." >&2; exit 1; }
  cat "${SECRETS}/$1"
}

app_password=$(secret app_password)
lookup_password=$(secret pgbouncer_password)

psql -v ON_ERROR_STOP=1 -v password="$app_password" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
create role "${role}" login password :'password';
alter database "${database}" owner to "${role}";
alter schema public owner to "${role}";
SQL
psql -v password="$lookup_password" -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f ${MOUNTED}/auth.sql
`
}

/** A user of PgBouncer's password file, and the file with the password. */
export interface FileUser {
  readonly user: string
  readonly passwordFile: string
}

/** PgBouncer's own two users, with a secret each. */
export function ownUsers(folder: string = SECRETS): readonly FileUser[] {
  return [LOOKUP_ROLE, STATS_USER].map((user) => ({ user, passwordFile: `${folder}/${user}_password` }))
}

/** The path of a Compose secret in its containers. */
export function secretFile(name: string): string {
  return `${SECRETS}/${name}`
}

/**
 * Starts PgBouncer with a userlist built from the secrets, so that the project contains no password.
 *
 * @param remedy what to do about an empty secret, for its error message.
 */
export function startScript(users: readonly FileUser[], remedy: string): string {
  return `#!/bin/sh
# Writes PgBouncer's users to a file inside this container, and starts PgBouncer.
set -eu
umask 077

add() {
  [ -s "$2" ] || { echo "The secret \${2##*/} is empty: ${remedy}." >&2; exit 1; }
  printf '"%s" "%s"\\n' "$1" "$(sed 's/"/""/g' "$2")"
}

{
${users.map(({ user, passwordFile }) => `  add ${user} ${passwordFile}`).join('\n')}
} > ${USERLIST}

exec pgbouncer ${MOUNTED}/pgbouncer.ini
`
}
