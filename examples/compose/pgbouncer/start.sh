#!/bin/sh
# Writes PgBouncer's own two users into a file that only this container has, and starts PgBouncer.
set -eu
umask 077

for user in pgbouncer pgbouncer_stats; do
  file="/run/secrets/${user}_password"
  [ -s "$file" ] || { echo "The secret ${user}_password is empty: give it a value in .env." >&2; exit 1; }
  printf '"%s" "%s"\n' "$user" "$(sed 's/"/""/g' "$file")"
done > /tmp/userlist.txt

exec pgbouncer /etc/poolguard/pgbouncer.ini
