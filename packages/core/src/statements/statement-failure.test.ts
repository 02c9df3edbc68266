import { expect, test } from 'vitest'
import { classifyStatementFailure } from './statement-failure.ts'

test.for([
  [
    { code: '0A000', routine: 'RevalidateCachedQuery', message: 'gecachter Plan darf Ergebnistyp nicht ändern' },
    'stale',
  ],
  [{ code: '0A000', routine: 'ExecInitFunc', message: 'set-valued function called' }, undefined],
  [{ code: '26000', routine: 'FetchPreparedStatement' }, 'lost'],
  [{ code: '42P05', message: 'prepared statement "x" already exists' }, 'lost'],
  [{ code: '08P01', message: 'prepared statement did not exist' }, 'lost'],
  [{ code: '08P01', message: 'prepared statement name is already in use' }, 'lost'],
  [{ code: '08P01', message: 'query_wait_timeout' }, undefined],
  [{ code: '08P01', message: 'bind message supplies 2 parameters, but prepared statement "" requires 1' }, undefined],
  [{ code: '22P02', message: 'invalid input syntax for type integer' }, 'suspect'],
  [{ code: '42804' }, 'suspect'],
  [{ code: 'XX000', message: 'cache lookup failed for type 16412' }, 'suspect'],
  [{ code: '25P02' }, undefined],
  [{ code: '57014' }, undefined],
  [{ code: '23505' }, undefined],
  [{}, undefined],
  [undefined, undefined],
] as const)('%o is %s', ([error, failure]) => {
  expect(classifyStatementFailure(error)).toBe(failure)
})
