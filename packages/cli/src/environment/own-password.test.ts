import { expect, test } from 'vitest'
import { connectionFromEnvironment } from './connection-from-environment.ts'
import { withoutForeignPassword } from './own-password.ts'

const SHELL = { PGUSER: 'alice', PGPASSWORD: 's3cret' }

test.each<[given: string, file: Record<string, string>, shell: Record<string, string>, sent: string | undefined]>([
  ["a file's host, another user", { DATABASE_URL: 'postgres://bob@evil/d' }, SHELL, undefined],
  ["a file's host, the same user", { DATABASE_URL: 'postgres://alice@evil/d' }, SHELL, undefined],
  ["a file's host, no user", { DATABASE_URL: 'postgres://evil/d' }, SHELL, undefined],
  ["a file's host, in parts", { POSTGRES_HOST: 'evil', POSTGRES_USER: 'alice' }, SHELL, undefined],
  ["a file's host among others", { DATABASE_URL: 'postgres://db,evil/d' }, { ...SHELL, PGHOST: 'db' }, undefined],
  ["the shell's host", { DATABASE_URL: 'postgres://alice@db/d' }, { ...SHELL, PGHOST: 'db' }, 's3cret'],
  ['this machine', { DATABASE_URL: 'postgres://alice@localhost/d' }, SHELL, 's3cret'],
  ['a file without a host', { PGDATABASE: 'd' }, { ...SHELL, PGHOST: 'db' }, 's3cret'],
  ["the file's own password", { DATABASE_URL: 'postgres://db/d', PGPASSWORD: 'own' }, {}, 'own'],
  ['a URL of the shell', {}, { ...SHELL, DATABASE_URL: 'postgres://alice@db/d' }, 's3cret'],
])("the shell's password and %s", (_what, file, shell, sent) => {
  const found = withoutForeignPassword(connectionFromEnvironment({ ...file, ...shell }), file, shell)

  expect(found.url.password).toBe(sent)
})

test.each<[given: string, file: Record<string, string>, shell: Record<string, string>, address: string | undefined]>([
  ["a file's URL", { DATABASE_URL: 'postgres://alice@localhost/d?hostaddr=192.0.2.1' }, SHELL, undefined],
  ["a file's variable", { PGHOSTADDR: '192.0.2.1' }, { ...SHELL, PGHOST: 'localhost' }, undefined],
  ["a file's URL without PGPASSWORD", { DATABASE_URL: 'postgres://alice@db/d?hostaddr=192.0.2.1' }, {}, undefined],
  ["a file's URL with a password", { DATABASE_URL: 'postgres://alice:own@db/d?hostaddr=192.0.2.1' }, {}, '192.0.2.1'],
  ["the shell's URL", {}, { ...SHELL, DATABASE_URL: 'postgres://alice@db/d?hostaddr=192.0.2.1' }, '192.0.2.1'],
  ["the shell's variable", {}, { ...SHELL, PGHOST: 'db', PGHOSTADDR: '192.0.2.1' }, '192.0.2.1'],
])('the address of %s leads no password of the user elsewhere', (_what, file, shell, address) => {
  const { url } = withoutForeignPassword(connectionFromEnvironment({ ...file, ...shell }), file, shell)

  expect(url.parameters.find(([name]) => name === 'hostaddr')?.[1]).toBe(address)
})

test('the password file is not chosen by a project', () => {
  const file = { DATABASE_URL: 'postgres://alice@db/d?passfile=/etc/other' }
  const { url } = withoutForeignPassword(connectionFromEnvironment({ ...file, ...SHELL }), file, SHELL)

  expect(url.parameters).toEqual([])
})

test("the URL for migrations gets the shell's password by the same rule", () => {
  const file = { DATABASE_URL: 'postgres://alice:own@pooler/d', DIRECT_URL: 'postgres://alice@evil/d' }
  const found = withoutForeignPassword(connectionFromEnvironment({ ...file, ...SHELL }), file, SHELL)

  expect(found.url.password).toBe('own')
  expect(found.direct?.password).toBeUndefined()
})
