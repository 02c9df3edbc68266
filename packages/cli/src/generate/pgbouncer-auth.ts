import { LOOKUP_ROLE, STATS_USER } from './pgbouncer-ini.ts'

/**
 * SQL for psql that lets PgBouncer look up passwords. It can run again. It excludes superusers, so that no client logs in as
 * one through PgBouncer.
 *
 * @see https://www.pgbouncer.org/config.html#auth_query
 */
export const AUTH_SQL: string = `-- Lets PgBouncer look up the passwords of its clients. Run it once as a superuser, in the app's database:
--   psql "$ADMIN_URL" -v password="$PGBOUNCER_PASSWORD" -f auth.sql
-- Passwords must be stored as scram-sha-256, the default: reset an older (md5) password with ALTER ROLE.
-- If no role can read pg_authid (managed services), remove auth_user, auth_dbname and auth_query from pgbouncer.ini, and
-- add the app's user to userlist.txt.
\\set ON_ERROR_STOP on
-- The owner of the database may have shadowed PostgreSQL's functions and operators.
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

/** The users in PgBouncer's own password file. */
export const USERLIST_EXAMPLE: string = `"${LOOKUP_ROLE}" "CHANGE_ME"
"${STATS_USER}" "CHANGE_ME"
`
