-- Lets PgBouncer look up the passwords of its clients. Run it once as a superuser, in the app's database:
--   psql "$ADMIN_URL" -v password="$PGBOUNCER_PASSWORD" -f auth.sql
-- Passwords must be stored as scram-sha-256, the default: reset an older (md5) password with ALTER ROLE.
-- If no role can read pg_authid (managed services), remove auth_user, auth_dbname and auth_query from pgbouncer.ini, and
-- add the app's user to userlist.txt.
\set ON_ERROR_STOP on
-- The owner of the database may have shadowed PostgreSQL's functions and operators.
set search_path = pg_catalog;
begin;
select 'create role pgbouncer login' where not exists (select from pg_roles where rolname = 'pgbouncer') \gexec
alter role pgbouncer password :'password';
create schema if not exists pgbouncer;
alter schema pgbouncer owner to current_user;
create or replace function pgbouncer.get_auth(wanted text, out username text, out password text) returns setof record
  language sql security definer set search_path = pg_catalog, pg_temp as $$
    select rolname::text, case when rolvaliduntil < now() then null else rolpassword end
      from pg_authid
     where rolname = wanted and rolcanlogin and not rolsuper and not rolreplication
  $$;
alter function pgbouncer.get_auth(text) owner to current_user;
revoke all on function pgbouncer.get_auth(text) from public;
grant usage on schema pgbouncer to pgbouncer;
grant execute on function pgbouncer.get_auth(text) to pgbouncer;
commit;
