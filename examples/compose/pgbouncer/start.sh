#!/bin/sh
# Writes PgBouncer's two users to a file inside this container, and starts PgBouncer.
set -eu
umask 077

for user in pgbouncer pgbouncer_stats; do
  file="/run/secrets/${user}_password"
  [ -s "$file" ] || { echo "The secret ${user}_password is empty: set it in .env." >&2; exit 1; }
  printf '"%s" "%s"\n' "$user" "$(sed 's/"/""/g' "$file")"
done > /tmp/userlist.txt

exec pgbouncer /etc/poolguard/pgbouncer.ini
