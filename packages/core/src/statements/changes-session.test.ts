import { expect, test } from 'vitest'
import { changesSession } from './changes-session.ts'

test.for([
  [
    'none',
    ['select 1', 'begin', 'SET LOCAL statement_timeout = 5', 'set lock_timeout to 1', 'reset statement_timeout', ''],
  ],
  ['none', ['set transaction isolation level serializable', 'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY']],
  [
    'none',
    [
      'reset transaction isolation level',
      'set constraints all deferred',
      'set local transaction read only',
      "select 'set search_path = a'",
    ],
  ],
  [
    'transaction',
    [
      'set local search_path = a',
      'set local local.a = 1',
      'BEGIN; SET LOCAL ROLE x',
      'set local app.tenant = 1',
      "set local schema 'a'",
    ],
  ],
  [
    'session',
    ['set search_path to a', 'SET SESSION search_path = a', 'set role x', 'set session authorization x', 'reset all'],
  ],
  [
    'session',
    [
      '/* x */ set time zone utc',
      'select 1; set a.b = 1',
      "set local.a = 'b'",
      'set local to 1',
      'set session from current',
      'set local a.b = 1; set a.b = 2',
      'reset role',
    ],
  ],
  [
    'session',
    ["select set_config('a.b', $1, true)", 'select pg_catalog.SET_CONFIG ($1, $2, $3)', 'select "set_config"(1)'],
  ],
] as const)('%s: %o', ([change, texts]) => {
  for (const text of texts) expect([text, changesSession(text)]).toEqual([text, change])
})
