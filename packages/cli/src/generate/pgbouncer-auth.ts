import { LOOKUP_ROLE, STATS_USER } from './pgbouncer-ini.ts'

/**
 * SQL for psql that lets PgBouncer look up passwords. It may be run again. Superusers are left out: nobody comes as one
 * through PgBouncer.
 *
 * @see https://www.pgbouncer.org/config.html#auth_query
 */
export const AUTH_SQL: string = `-- Lets PgBouncer look up the passwords of those who log in. Run it once as a superuser, in the database of the app:
--   psql "$ADMIN_URL" -v password="$PGBOUNCER_PASSWORD" -f auth.sql
-- Passwords have to be stored with scram-sha-256, the default: give one that is older (md5) again, with ALTER ROLE.
-- Where nobody may read pg_authid (managed services), leave auth_user, auth_dbname and auth_query out of pgbouncer.ini, and
-- write the app's user into userlist.txt.
\\set ON_ERROR_STOP on
-- An owner of the database may have put functions and operators of their own in front of PostgreSQL's.
set search_path = pg_catalog;
begin;
select 'create role ${LOOKUP_ROLE} login' where not exists (select from pg_roles where rolname = '${LOOKUP_ROLE}') \\gexec
alter role ${LOOKUP_ROLE} password :'password';
create schema if not exists ${LOOKUP_ROLE};
alter schema ${LOOKUP_ROLE} owner to current_user;
create or replace function ${LOOKUP_ROLE}.get_auth(wanted text, out username text, out password text) returns setof record
  language sql security definer set search_path = pg_catalog, pg_temp as $$
    select rolname::text, case when rolvaliduntil < now() then null else rolpassword end
      from pg_authid
     where rolname = wanted and rolcanlogin and not rolsuper and not rolreplication
  $$;
alter function ${LOOKUP_ROLE}.get_auth(text) owner to current_user;
revoke all on function ${LOOKUP_ROLE}.get_auth(text) from public;
grant usage on schema ${LOOKUP_ROLE} to ${LOOKUP_ROLE};
grant execute on function ${LOOKUP_ROLE}.get_auth(text) to ${LOOKUP_ROLE};
commit;
`

/** Who has a password in PgBouncer's own file. */
export const USERLIST_EXAMPLE: string = `"${LOOKUP_ROLE}" "CHANGE_ME"
"${STATS_USER}" "CHANGE_ME"
`
