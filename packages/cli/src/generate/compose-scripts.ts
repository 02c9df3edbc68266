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

/** Starts PgBouncer with a userlist built from the secrets, so that the project contains no password. */
export const START_SCRIPT: string = `#!/bin/sh
# Writes PgBouncer's two users to a file inside this container, and starts PgBouncer.
set -eu
umask 077

for user in ${LOOKUP_ROLE} ${STATS_USER}; do
  file="${SECRETS}/\${user}_password"
  [ -s "$file" ] || { echo "The secret \${user}_password is empty: set it in .env." >&2; exit 1; }
  printf '"%s" "%s"\\n' "$user" "$(sed 's/"/""/g' "$file")"
done > ${USERLIST}

exec pgbouncer ${MOUNTED}/pgbouncer.ini
`
