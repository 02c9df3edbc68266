#!/bin/sh
# Writes PgBouncer's users to a file inside this container, and starts PgBouncer.
set -eu
umask 077

add() {
  [ -s "$2" ] || { echo "The secret ${2##*/} is empty: set it in .env." >&2; exit 1; }
  printf '"%s" "%s"\n' "$1" "$(sed 's/"/""/g' "$2")"
}

{
  add pgbouncer /run/secrets/pgbouncer_password
  add pgbouncer_stats /run/secrets/pgbouncer_stats_password
} > /tmp/userlist.txt

exec pgbouncer /etc/poolguard/pgbouncer.ini
