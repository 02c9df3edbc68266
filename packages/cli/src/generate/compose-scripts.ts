import { LOOKUP_ROLE, STATS_USER } from './pgbouncer-ini.ts'
import type { Place } from './place.ts'

/** Where compose puts the secrets of a service: https://docs.docker.com/reference/compose-file/secrets/ */
const SECRETS = '/run/secrets'

/** Written at each start, into memory. */
export const USERLIST = '/tmp/userlist.txt'
/** Where the container of PgBouncer has the folder `pgbouncer`, and that of PostgreSQL its file. */
export const MOUNTED = '/etc/poolguard'

/** Run once by the image of PostgreSQL, when its data folder is new: the app's role and database, and PgBouncer's lookups. */
export function rolesScript({ role, database }: Place): string {
  return `#!/bin/sh
# Makes the app's role, gives it the database, and lets PgBouncer look up passwords. The image of PostgreSQL runs it once,
# when the volume is new.
set -eu

secret() {
  [ -s "${SECRETS}/$1" ] || { echo "The secret $1 is empty: give it a value in .env." >&2; exit 1; }
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

/** Starts PgBouncer with a file of passwords that is made from the secrets, so that none stands in the project. */
export const START_SCRIPT: string = `#!/bin/sh
# Writes PgBouncer's own two users into a file that only this container has, and starts PgBouncer.
set -eu
umask 077

for user in ${LOOKUP_ROLE} ${STATS_USER}; do
  file="${SECRETS}/\${user}_password"
  [ -s "$file" ] || { echo "The secret \${user}_password is empty: give it a value in .env." >&2; exit 1; }
  printf '"%s" "%s"\\n' "$user" "$(sed 's/"/""/g' "$file")"
done > ${USERLIST}

exec pgbouncer ${MOUNTED}/pgbouncer.ini
`
