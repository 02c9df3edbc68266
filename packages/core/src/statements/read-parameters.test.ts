import { expect, test } from 'vitest'
import { readParameterUses } from './read-parameters.ts'

test.for<[text: string, ...uses: ('cast' | 'plain' | 'resolved')[]]>([
  ['select * from thing where id = $1', 'plain'],
  ['select * from thing where $1 = id and a <> $2 or b like $3', 'plain', 'plain', 'plain'],
  ['select * from "thing" where "thing"."id" in ($1, $2) limit $3 offset $4', 'plain', 'plain', 'plain', 'plain'],
  ['select * from thing where id = any($1) and a between $2 and $3', 'plain', 'plain', 'plain'],
  ['insert into "thing" ("a", "b") values ($1, $2), (default, $3) returning *', 'plain', 'plain', 'plain'],
  ['update thing set a = $1, b = b + $2 where id = $3', 'plain', 'resolved', 'plain'],
  ['select $1::int, cast($2 as date), cast ($3 AS date)', 'cast', 'cast', 'cast'],
  ['select * from thing where at > $1::timestamptz and at < $1', 'plain'],
  ['select * from thing where at > $1::timestamptz and at < $1::timestamptz', 'cast'],
  ['select f($1), "F"(1, $2), public.f($3), coalesce(a, $4)', 'resolved', 'resolved', 'resolved', 'resolved'],
  ['select a || $1, $2 || a, a -> $3, a[$4]', 'resolved', 'resolved', 'resolved', 'resolved'],
  ['select f(a = $1, (select $2))', 'plain', 'plain'],
  ['select array[$1, $2], (array[1])[$3]', 'resolved', 'resolved', 'resolved'],
  ['select f((a, b), $1), (f(a), $2)', 'resolved', 'plain'],
  ['select f(a[1], $1) from t where (a[1], $2) = (b, $3)', 'resolved', 'plain', 'plain'],
  [
    'select $1 + 1, 1 + $2, -$3, $4 = 1, $5 <> 1, $6 ~~ a',
    'resolved',
    'resolved',
    'resolved',
    'plain',
    'plain',
    'resolved',
  ],
  [
    'select * from t where a >= $1 and b <= $2 and c > $3 and d < $4 and e != $5',
    'plain',
    'plain',
    'plain',
    'plain',
    'plain',
  ],
  ['select CAST($1 AS int), CAST($2 || a AS text), cast(f($3) as int)', 'cast', 'resolved', 'resolved'],
  // The use with the fewest guarantees counts, in any order.
  ['select f($1), $1::int, f($1)', 'resolved'],
  ['select $1::int, f($1)', 'resolved'],
  ['select * from t where a = $1 and b = $1::int', 'plain'],
  ['select \u00e4ndere($1), f\u00fcr($2), \u00e4 = $3', 'resolved', 'resolved', 'plain'],
  ["select e'x'($1), 'x' || $2", 'resolved', 'resolved'],
  ['select \'$1\', "$1", $q$ $1 $q$, /* $1 */ $1 -- $1', 'plain'],
])('%s', ([text, ...uses]) => {
  expect([...readParameterUses(text)].sort(([a], [b]) => a - b)).toEqual(uses.map((use, index) => [index + 1, use]))
})
