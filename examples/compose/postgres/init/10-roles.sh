#!/bin/sh
# Creates the app's role, makes it the owner of the database, and lets PgBouncer look up passwords. The PostgreSQL image
# runs this script once, for a new volume.
set -eu

secret() {
  [ -s "/run/secrets/$1" ] || { echo "The secret $1 is empty: set it in .env." >&2; exit 1; }
  cat "/run/secrets/$1"
}

app_password=$(secret app_password)
lookup_password=$(secret pgbouncer_password)

psql -v ON_ERROR_STOP=1 -v password="$app_password" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
create role "app" login password :'password';
alter database "app" owner to "app";
alter schema public owner to "app";
SQL
psql -v password="$lookup_password" -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f /etc/poolguard/auth.sql
