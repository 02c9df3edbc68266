import { expect, test } from 'vitest'
import { nameOfCode } from './result-codes.ts'

// https://www.sqlite.org/rescode.html
test.each([
  [5, 'SQLITE_BUSY'],
  [8, 'SQLITE_READONLY'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [26, 'SQLITE_NOTADB'],
  [517, 'SQLITE_BUSY_SNAPSHOT'],
  [522, 'SQLITE_IOERR_SHORT_READ'],
  [778, 'SQLITE_IOERR_WRITE'],
  [1544, 'SQLITE_READONLY_DIRECTORY'],
  [1550, 'SQLITE_CANTOPEN_SYMLINK'],
  [2067, 'SQLITE_CONSTRAINT_UNIQUE'],
  [3091, 'SQLITE_CONSTRAINT_DATATYPE'],
  [8714, 'SQLITE_IOERR_IN_PAGE'],
  [5 | (99 << 8), 'SQLITE_BUSY'],
  [99, 'SQLITE_UNKNOWN_99'],
])('%d is %s', (code, name) => {
  expect(nameOfCode(code)).toBe(name)
})
