import fc from 'fast-check'
import { SILENT } from '../../../packages/core/src/statements/testing/silent-texts.ts'
import { SPEAKING } from '../../../packages/core/src/statements/testing/speaking-texts.ts'
import { sqlSoup } from '../../../packages/core/src/statements/testing/sql-soup.ts'
import { withMutations } from '../mutate.ts'

// biome-ignore format: a table
const name = fc.constantFrom(
  't', 'a', 'b', 'T', '"T"', '"a b"', 's.t', 'é', '"""q"', 'temp', 'U&"\\0061"', 'begin', 'local', 'session', 'end_', 'a$b', 'role',
)

/** Literals of every form, with content that must not be read as SQL. */
// biome-ignore format: a table
const literal = fc.constantFrom(
  '1', '1.5e-3', '0xff', '1_000', '.5', '$1', 'null', 'true', "'a'", "'it''s'", "'; set a = 1 --'", "'/*'", "'\\'", "E'\\''", "E'\\\\'",
  "e'\\';'", "U&'\\0061'", "U&'d!0061' uescape '!'", "B'01'", "X'ff'", "N'a'", '$$;$$', "$$'$$", '$a$ $$ ; $a$', '$a$$b$$a$', "'a'\n'b;'",
  "E'a'\n'\\';'", "'a' -- c\n 'b'", "date '2000-01-01'", "interval '1' day", '-1', '- -1', "'\n'", '"x"', "'a'/**/'b'",
)

// biome-ignore format: a table
const callable = fc.constantFrom(
  'lower', 'count', 'now', 'coalesce', 'pg_catalog.lower', '"lower"', '"Lower"', 'f', 's.f', 'pg_advisory_lock', 'PG_ADVISORY_LOCK',
  'pg_catalog.pg_advisory_lock', 'pg_try_advisory_lock_shared', 'pg_advisory_xact_lock', 'pg_advisory_unlock_all', 'set_config', 'nextval',
  'setval', 'currval', 'pg_sleep', 'pg_notify', 'pg_cancel_backend', 'lo_import', 'U&"low\\0065r"', 'U&"set_c\\006fnfig"',
)

// biome-ignore format: a table
const binary = fc.constantFrom(
  '=', '+', '||', '->>', '@>', '<->', '- ', '*-', '=-', '<=', '!~~', '@-', ' and ', ' or ', ' like ', ' is distinct from ', '::text||', ' operator(pg_catalog.+) ',
)
// biome-ignore format: a table
const suffix = fc.constantFrom(
  '::int', '::numeric(1,2)', '[1]', '.f', ' at time zone a', ' collate "C"', ' is null', ' in (1, 2)', ' between 1 and 2', ' is json', '.nextval',
)
// biome-ignore format: a table
const queryEnd = fc.constantFrom(
  '', ' limit 1', ' order by 1', ' for update', ' for share of t', ' for no key update skip locked', ' for key share', ' for read only',
)
const intoKind = fc.constantFrom('', 'temp ', 'temporary table ', 'unlogged ', 'local temp ', 'table ')

const joined = (...parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((each) => each.join(''))

const grammar = fc.letrec<{ expression: string; query: string; statement: string }>((tie) => {
  const expression = tie('expression')
  const query = tie('query')
  const statement = tie('statement')
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      literal,
      name,
      joined(
        callable,
        '(',
        fc.array(expression, { maxLength: 3 }).map((given) => given.join(', ')),
        ')',
      ),
      joined("set_config('a', ", expression, ', ', fc.constantFrom('false', 'true', "'f'", 'false::bool', '$1'), ')'),
      joined(expression, binary, expression),
      joined(expression, suffix),
      joined('(', expression, ')'),
      joined(fc.constantFrom('', 'exists ', 'array', 'a in '), '(', query, ')'),
      joined('case when ', expression, ' then 1 else 2 end'),
      joined('cast(', expression, ' as text)'),
      joined('extract(year from ', expression, ')'),
      joined('array[', expression, ']'),
      joined('row_number() over (partition by ', expression, ')'),
      joined('sum(a) filter (where ', expression, ')'),
    ),
    query: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      joined('select ', expression),
      joined('select ', expression, ' as ', name, ' from ', name),
      joined('select ', expression, ' from ', name, ' where ', expression, queryEnd),
      joined('select a into ', intoKind, name, ' from ', name),
      joined('select distinct on (a) ', expression, ' from ', name),
      joined(query, fc.constantFrom(' union all ', ' except ', ' intersect '), query),
      joined('with ', name, ' as (', statement, ') ', query),
      joined('with recursive ', name, '(a) as not materialized (', statement, ') ', query),
      joined('values (', expression, ', 1)'),
      joined('table ', name),
      joined('(', query, ')'),
      joined('select * from ', name, ' join lateral ', callable, '(', expression, ') as x(a) on true'),
      joined('select * from (', query, ') as t'),
    ),
    statement: fc.oneof(
      { weight: 3, arbitrary: query },
      {
        weight: 1,
        arbitrary: joined('insert into ', name, ' values (', expression, ') on conflict do nothing returning a'),
      },
      { weight: 1, arbitrary: joined('update ', name, ' set a = ', expression, ' returning a') },
      { weight: 1, arbitrary: joined('delete from ', name, ' where ', expression, ' returning a') },
      {
        weight: 1,
        arbitrary: joined('merge into ', name, ' using b on true when matched then update set a = ', expression),
      },
    ),
  }
})

/** Statements that are not queries. */
// biome-ignore format: a table
const UTILITIES = [
  'begin', 'begin work', 'begin isolation level serializable', 'begin; ', 'start transaction', 'start transaction read only', 'commit', 'commit and chain',
  'commit and no chain', 'end', 'end transaction', 'abort', 'rollback', 'rollback and chain', 'rollback to a', 'rollback to savepoint a', 'savepoint a',
  'release a', "prepare transaction 'a'", "commit prepared 'a'", "rollback prepared 'a'",
  'set a.b = 1', 'set a.b to 1, 2', 'set local a.b = 1', 'set session a.b = 1', 'set statement_timeout = 1', 'set search_path = a', 'set "search_path" to a',
  'set local search_path to a', 'set time zone utc', "set local time zone 'utc'", "set schema 'a'", "set names 'utf8'", 'set role a', 'set local role a',
  'set session authorization a', 'set local session authorization a', 'set session authorization default', 'set xml option document',
  'set local xml option document', 'set transaction read only', 'set local transaction read only', 'set session characteristics as transaction read only',
  'set constraints all deferred', 'set a.b from current', "set transaction snapshot 'a'", 'set local.a = 1', 'set session.a = 1', 'set transaction_isolation = serializable',
  'set "local" = 1', 'set session "local" = 1', 'set local "session" = 1', 'set transaction_read_only = on',
  'reset all', 'reset a.b', 'reset role', 'reset session authorization', 'reset time zone', 'reset transaction isolation level', 'reset statement_timeout',
  'listen a', 'unlisten *', 'notify a', "notify a, 'listen b'", 'discard all', 'discard temp', "load 'a'", 'checkpoint', 'vacuum', 'analyze t', 'lock t', 'lock table t in share mode',
  'create temp table t (a int)', 'create temp table t (a int) on commit drop', 'create temp table t as select 1', 'create temp table t on commit drop as select 1',
  'create table pg_temp.t (a int)', 'create temp view v as select 1', 'create temp sequence s', 'create local temp table t (a int) on commit delete rows',
  'create table t as execute p', 'create table t as select pg_advisory_lock(1)', 'create temp table t as execute p', 'create temp table if not exists t (like u)',
  'create table if not exists pg_temp.t as select 1', 'create or replace temp view v as select 1', 'create temp recursive view v(a) as select 1',
  'create materialized view m as select pg_advisory_lock(1)', 'create schema s create temp table t (a int)', 'create unlogged table t (a int)',
  'create temp table t partition of u default', 'create temp table t of ty', 'create temporary table t () inherits (u)',
  'declare c cursor for select 1', 'declare c cursor with hold for select 1', 'declare c no scroll cursor without hold for select pg_advisory_lock(1)',
  'fetch c', 'close all', 'move 1 from c', 'prepare p as select 1', 'prepare p(int) as insert into t values ($1)', 'execute p', 'execute p(pg_advisory_lock(1))',
  'deallocate p', 'deallocate all', 'deallocate prepare p', 'explain select 1', 'explain analyze select pg_advisory_lock(1)', 'explain (analyze) execute p',
  'explain (analyze false) select pg_advisory_lock(1)', 'explain verbose execute p', 'explain (analyze, format json) delete from t', 'explain analyze create temp table t as select 1',
  'explain analyze verbose declare c cursor with hold for select 1',
  'copy t from stdin', "copy (select pg_advisory_lock(1)) to stdout", "copy t to program 'a'", 'do $$ begin set a = 1; end $$', 'call f(pg_advisory_lock(1))', 'call f()',
  'create function f() returns int language sql begin atomic select 1; select 2; end', 'create function f() returns int language sql return 1',
  'create or replace procedure p() begin atomic select case when true then 1 end; end', 'create function f() returns int as $$ begin; $$ language sql set a = 1',
  'create rule r as on insert to t do also (select 1; select 2)', 'alter role a set b.c = 1', 'alter system set a = 1', 'alter database d reset all',
  'alter table t set (fillfactor = 10)', 'truncate t', 'refresh materialized view m', 'grant select on t to a', "comment on table t is 'set a = 1'",
  'reindex table t', 'cluster', 'security label on table t is null', 'reassign owned by a to b', 'import foreign schema a from server b into c',
]

const utility = fc.constantFrom(...UTILITIES, ...SILENT, ...SPEAKING.map(([text]) => text))
const statement = fc.oneof(
  { weight: 4, arbitrary: grammar.statement },
  { weight: 3, arbitrary: utility },
  {
    weight: 1,
    arbitrary: joined(
      fc.constantFrom(
        'explain ',
        'explain analyze ',
        'create temp table x as ',
        'prepare p as ',
        'declare c cursor for ',
        'create view v as ',
      ),
      grammar.statement,
    ),
  },
)
/** Separators of statements, with semicolons that are none. */
const separator = fc.constantFrom(';', ';', '; ', ';\n', ';;', ' ; -- ;\n', ';/* ; */', '\n')
const script = fc
  .tuple(fc.array(statement, { minLength: 1, maxLength: 3 }), separator)
  .map(([each, by]) => each.join(by))

/** Inserted by mutations: separators of tokens, halves of tokens, and keywords. */
// biome-ignore format: a table
const NOISE = [
  ' ', '\n', '\t', '\r', '\f', '\v', '/* a */', '/* /* */ ; */', '/*', '*/', '-- a\n', '--', '-- a\r', '-', '+', '*', '/', "'", "''", '"', '\\', '$', '$$', '$a$', '$1', ';',
  '(', ')', ',', '.', ':', '::', ':=', '=', '=>', '..', 'a', 'e', 'E', 'b', 'x', 'u&', 'n', '1', '_', '0x', 'é', '\u00a0', '\ufeff', '\u2028', ' for update ', ' into x ', ' set a = 1 ',
  ' begin ', ' end ', ' case ', ' temp ', ' listen a ', '; listen a', '@', '#', '?', '!', '|', '&', '^', '~', '`', '%', '<', '>', '[', ']', '{', '}', '\u0001',
]

/** SQL texts: statements of a grammar, mutations of these, and soup. NUL and lone surrogates cannot be sent to a server. */
export const sqlTexts: fc.Arbitrary<string> = fc
  .oneof({ weight: 9, arbitrary: withMutations(script, NOISE) }, { weight: 1, arbitrary: sqlSoup })
  .map((text) => text.replaceAll('\0', '').toWellFormed())
