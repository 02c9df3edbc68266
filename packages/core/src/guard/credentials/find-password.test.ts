import { describe, expect, test } from 'vitest'
import type { CredentialsRequest } from './credentials.ts'
import { findPassword } from './find-password.ts'

const request: CredentialsRequest = { host: 'db', port: 5432, user: 'app', database: 'orders' }

describe('findPassword', () => {
  test.each<[title: string, text: string, found: string | undefined, asked?: Partial<CredentialsRequest>]>([
    ['returns the password of the matching line', 'db:5432:orders:app:secret', 'secret'],
    [
      'compares every field',
      'db2:5432:orders:app:1\ndb:1:orders:app:2\ndb:5432:o:app:3\ndb:5432:orders:a:4',
      undefined,
    ],
    ['uses the first matching line', '*:*:*:app:first\ndb:5432:orders:app:second', 'first'],
    ['reads a password of one line with its port', 'db:5432:*:*:one\ndb:5433:*:*:two', 'two', { port: 5433 }],
    ['reads a star as any value', '*:*:*:*:secret', 'secret'],
    ['reads a star within a text as itself', 'd*:5432:orders:app:secret', undefined],
    ['reads an escaped star as itself', '\\*:5432:orders:app:secret', undefined],
    [
      'reads escaped colons and backslashes',
      'a\\:b:5432:c\\\\d:app:p\\:q\\\\r',
      'p:q\\r',
      { host: 'a:b', database: 'c\\d' },
    ],
    ['ends the password at a colon', 'db:5432:orders:app:secret:more', 'secret'],
    ['keeps a backslash at the end', 'db:5432:orders:app:secret\\', 'secret\\'],
    ['keeps blanks and characters of any script', 'db:5432:orders:app: pässwörd 🔑 ', ' pässwörd 🔑 '],
    ['skips comments and short lines', '# db:5432:orders:app:no\n\ndb:5432:orders:app\n*:*:*:*:secret', 'secret'],
    ['reads no comment after a blank', ' #:5432:orders:app:no\n*:*:*:*:secret', 'secret'],
    ['reads Windows line ends', 'x:1:y:z:no\r\ndb:5432:orders:app:secret\r\n', 'secret'],
    ['does not search on after an empty password', 'db:5432:orders:app:\n*:*:*:*:secret', undefined],
    ['takes no host for localhost', 'localhost:5432:orders:app:secret', 'secret', { host: '' }],
    ['takes the default directory of sockets for localhost', 'localhost:*:*:*:secret', 'secret', { host: '/tmp' }],
    ['finds the default directory of sockets by its name', '/tmp:*:*:*:secret', 'secret', { host: '/tmp' }],
    ['does not take another directory for localhost', 'localhost:*:*:*:secret', undefined, { host: '/srv/sockets' }],
    ['finds an IPv6 address with escaped colons', '\\:\\:1:*:*:*:secret', 'secret', { host: '::1' }],
    ['finds nothing in an empty file', '', undefined],
  ])('%s', (_title, text, found, asked = {}) => {
    expect(findPassword(text, { ...request, ...asked })).toBe(found)
  })
})
