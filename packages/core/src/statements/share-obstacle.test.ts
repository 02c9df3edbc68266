import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shareObstacle } from './share-obstacle.ts'
import { sqlSoup } from './testing/sql-soup.ts'

describe('with reads, a statement that only reads may share', () => {
  test.each([
    'select 1',
    'SELECT $1::int AS n',
    '/* comment */ select * from orders where id = $1 -- end',
    '(select 1) union all (select 2)',
    'values (1), (2)',
    'table orders',
    'with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select * from t',
    'with x as materialized (select 1), y as not materialized (select 2) select * from x, y',
    'select count(*) filter (where a > 1) over (partition by (b) order by c) from t',
    'select "a"."b" from "s"."t" as "a" left join lateral (select 1) as "j" on true where "a"."b" in ($1, $2)',
    'select coalesce(jsonb_agg("x"), \'[]\') from t group by (a, b) order by (a) limit $1 offset $2',
    'select cast(a as numeric(10, 2)), b::varchar(3), extract(epoch from c), substring(d from 1 for 3), trim(both from e) from t',
    'select * from t where a like ($1) and b not in (select 1) and exists (select 1) and c = any($1)',
    'select pg_catalog.lower(a) from t',
    'select 1;',
    'select ";" from t',
    "select ';', $$;$$, E'\\\\;'",
    'select "update", t.delete from t',
    'select count(*) filter (where b.x) over (partition by c) from a join b on (a.x = b.x)',
    'select * from a join b on (a.x = b.x) where (select count(*) filter (where x) from c) > 0',
    'select * from a cross join (select 1) b where a.name ilike (b.name)',
    'select for_update, no_key from t limit (1)',
    '((select 1))',
    'select key, share, t.no from t',
  ])('%s', (text) => {
    expect(shareObstacle(text, 'reads')).toBeUndefined()
  })
})

describe('with reads, a statement may not share if it', () => {
  test.each([
    // writes
    ['insert into t values (1)', 'it writes'],
    ['with x as (delete from t returning *) select * from x', 'it writes'],
    ['with x as (select 1), y as (insert into t select 1) select 1', 'it writes'],
    ['select * into u from t', 'it creates a table'],
    ['with x as (merge into t using u on true when matched then do nothing returning 1) select 1', 'it writes'],
    // locks
    ['select * from t for update', 'it locks rows'],
    ['select * from (select * from t for share) x', 'it locks rows'],
    ['select * from t FOR /* */ NO KEY UPDATE', 'it locks rows'],
    ['select * from t for key share skip locked', 'it locks rows'],
    // is no query
    ['begin', 'it is not a query'],
    ['set x = 1', 'it is not a query'],
    ['explain analyze select 1', 'it is not a query'],
    ['show all', 'it is not a query'],
    ['execute x', 'it is not a query'],
    ['', 'it is not a query'],
    ['"select" 1', 'it is not a query'],
    // is more than one
    ['select 1; select 2', 'it may be several statements'],
    ['select 1;;', 'it may be several statements'],
    ["select '\\'; drop table t; --'", 'a string in it contains a backslash'],
    // calls something
    ["select nextval('s')", 'it calls nextval, which is not known to only read'],
    ["select pg_catalog.nextval('s')", 'it calls nextval, which is not known to only read'],
    ["select set_config('a', 'b', true)", 'it calls set_config, which is not known to only read'],
    ['select pg_sleep(1)', 'it calls pg_sleep, which is not known to only read'],
    ['select pg_advisory_xact_lock(1)', 'it calls pg_advisory_xact_lock, which is not known to only read'],
    ["select * from dblink('', 'delete from t') as x(a int)", 'it calls dblink, which is not known to only read'],
    ['select "my function"(1)', 'it calls my function, which is not known to only read'],
    ['select app.lower(a) from t', 'it calls lower, which is not known to only read'],
    ['select app.pg_catalog.lower(a) from t', 'it may call pg_catalog'],
    ['select (pg_catalog).lower(a) from t', 'it calls lower, which is not known to only read'],
    ['select pg_catalog.evil(a) from t', 'it calls evil, which is not known to only read'],
    ['select by(1)', 'it calls by, which is not known to only read'],
    ['select materialized(1)', 'it calls materialized, which is not known to only read'],
    ['select varying(1)', 'it calls varying, which is not known to only read'],
    ['select over(1)', 'it calls over, which is not known to only read'],
    ['select distinct on (a) over(1) from t', 'it calls over, which is not known to only read'],
    ['select * from t where a and like(1)', 'it calls like, which is not known to only read'],
    ['select "LOWER"(a) from t', 'it calls LOWER, which is not known to only read'],
    ['select "coalesce"(a) from t', 'it calls coalesce, which is not known to only read'],
    ['select ran\u212a(1)', 'it calls ran\u212a, which is not known to only read'],
    ['select join(1)', 'it calls join, which is not known to only read'],
    ['select similar(1)', 'it calls similar, which is not known to only read'],
    ['select distinct on (a) filter(1) from t', 'it calls filter, which is not known to only read'],
    ['select distinct on (a) my_function(1) from t', 'it calls my_function, which is not known to only read'],
    ['select (1) operator(pg_catalog.+) my_function(2)', 'it calls operator, which is not known to only read'],
    ['select treat(1 as pg_sleep)', 'it calls treat, which is not known to only read'],
    ['select U&"\\006eextval"(1)', 'a name in it is written with U&'],
    // calls a function like a column
    ["select ('s'::regclass).nextval", 'it may call nextval'],
    ["select x.NextVal from unnest(array['s'::regclass]) x", 'it may call nextval'],
    ["select pg_catalog.nextval from unnest(array['s'::regclass]) pg_catalog", 'it may call nextval'],
    ['select x."pg_advisory_lock" from unnest($1::int8[]) x', 'it may call pg_advisory_lock'],
  ])('%s', (text, reason) => {
    expect(shareObstacle(text, 'reads')).toBe(reason)
  })

  test('is longer than 10,000 characters', () => {
    expect(shareObstacle('select 1'.padEnd(10_000), 'reads')).toBeUndefined()
    expect(shareObstacle('select 1'.padEnd(10_001), 'reads')).toBe('it is longer than 10000 characters')
    expect(shareObstacle(`select ${'1,'.repeat(5_000)}1`, 'reads')).toBe('it is longer than 10000 characters')
  })
})

describe('with all', () => {
  test.each([
    'insert into t (a) values ($1) returning id',
    'update t set a = $1',
    'delete from t',
    'with x as (insert into t values (1) returning 1) select * from x',
    'merge into t using u on true when matched then delete',
    'select my_function(1)',
    'select * from t for update',
    "select nextval('s')",
    // names, not calls
    'with currval(a) as (select 1) select a from currval',
    'select * from f() as currval(a, b)',
    'with recursive currval(a) as (select 1) select a from currval',
    'merge into t using u on true when not matched then insert values (1)',
  ])('%s may share', (text) => {
    expect(shareObstacle(text, 'all')).toBeUndefined()
  })

  test.each([
    ['select * into u from t', 'it creates a table'],
    ['begin', 'it is not a query'],
    ['copy t from stdin', 'it is not a query'],
    ['update t set a = 1; select 1', 'it may be several statements'],
    ["select set_config('a', $1, false)", 'it calls set_config'],
    ['select pg_catalog.pg_try_advisory_lock(1)', 'it calls pg_try_advisory_lock'],
    ['select lastval()', 'it calls lastval'],
    ['select pg_sleep(1)', 'it calls pg_sleep'],
    ['select treat(1 as pg_sleep)', 'it calls treat'],
    ['select my.dblink_exec($1)', 'it calls dblink_exec'],
    ['select lo_import($1)', 'it calls lo_import'],
    ['select pg_create_restore_point($1)', 'it calls pg_create_restore_point'],
    ["select x.nextval from unnest(array['s'::regclass]) x", 'it may call nextval'],
    ['with x as (select 1) select * into u from x', 'it creates a table'],
  ])('%s may not', (text, reason) => {
    expect(shareObstacle(text, 'all')).toBe(reason)
  })
})

test('given any text, then it ends, and what may share as a read may share', () => {
  fc.assert(
    fc.property(sqlSoup, (text) => {
      if (shareObstacle(text, 'reads') === undefined) expect(shareObstacle(text, 'all')).toBeUndefined()
    }),
    { numRuns: 5_000 },
  )
})
