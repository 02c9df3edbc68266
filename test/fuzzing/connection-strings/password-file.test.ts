import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentialSourceOf, KnownSecrets } from '@poolguard/core/adapter'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { loadLibpqPassword } from './libpq.ts'

interface Asked {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

const folder = mkdtempSync(join(tmpdir(), 'poolguard-passfile-'))
const path = join(folder, 'pgpass')
let passwordOfLibpq: (conninfo: string) => string

beforeAll(async () => {
  vi.stubEnv('PGPASSWORD', undefined)
  passwordOfLibpq = await loadLibpqPassword()
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function write(text: string, mode = 0o600): void {
  writeFileSync(path, text)
  chmodSync(path, mode)
}

function readByLibpq({ host, port, user, database }: Asked): string {
  // Without a name to look up; a socket has no address.
  const address = host.startsWith('/') ? {} : { hostaddr: '127.0.0.1' }
  const keywords = { ...address, host, port, user, dbname: database, passfile: path, sslmode: 'disable' }
  const quoted = (value: unknown) => `'${String(value).replaceAll(/['\\]/g, '\\$&')}'`
  return passwordOfLibpq(
    Object.entries(keywords)
      .map(([keyword, value]) => `${keyword}=${quoted(value)}`)
      .join(' '),
  )
}

async function readByPoolguard(asked: Asked): Promise<string> {
  const source = credentialSourceOf({ passfile: path }, new KnownSecrets())
  return (await source?.get(asked))?.password ?? ''
}

const word = fc
  .array(fc.constantFrom('a', 'b', '\\', ':', '*', '#', "'", ' ', 'é', '🔑'), { maxLength: 3 })
  .map((characters) => characters.join(''))
const name = word.filter((text) => text.trim() !== '')
const asked = fc.record({
  host: fc.oneof(name, fc.constantFrom('localhost', 'db', '/nowhere')),
  port: fc.constantFrom(1, 2),
  user: name,
  database: name,
})

const escaped = (text: string) => text.replaceAll(/[\\:]/g, '\\$&')

/** Lines that often match: each field is a star, the value with its escapes, the value as it is, or any text. */
function linesFor({ host, port, database, user }: Asked): fc.Arbitrary<string> {
  const fields = [host, String(port), database, user].map((value) =>
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom('*', escaped(value)) }, fc.constant(value), word),
  )
  const line = fc.tuple(...fields, fc.oneof(word, fc.constant('secret'))).map((parts) => parts.join(':'))
  const comment = line.map((text) => `#${text}`)
  const end = fc.constantFrom('\n', '\n', '\r\n', '\n\n')
  return fc
    .array(fc.tuple(fc.oneof({ weight: 6, arbitrary: line }, comment, word), end), { maxLength: 4 })
    .chain((lines) => fc.boolean().map((ends) => (ends ? lines.flat() : lines.flat().slice(0, -1)).join('')))
}

test('a password file gives the same password as with libpq', async () => {
  let found = 0
  const cases = asked.chain((each) => fc.tuple(fc.constant(each), linesFor(each)))
  await fc.assert(
    fc.asyncProperty(cases, async ([each, text]) => {
      write(text)
      const theirs = readByLibpq(each)

      expect(await readByPoolguard(each)).toBe(theirs)
      if (theirs !== '') found++
    }),
    { numRuns: 3_000 },
  )

  expect(found).toBeGreaterThan(300)
})

// libpq has no such directory on Windows.
test.runIf(process.platform !== 'win32')('the default directory of sockets is localhost, as for libpq', async () => {
  write('localhost:*:*:*:secret')
  const socket = { host: '/tmp', port: 1, user: 'app', database: 'orders' }

  expect([readByLibpq(socket), await readByPoolguard(socket)]).toEqual(['secret', 'secret'])
})

test.runIf(process.platform !== 'win32').each([0o600, 0o400, 0o640, 0o604, 0o660, 0o700, 0o610])(
  'a file of mode %o is used as by libpq',
  async (mode) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    write('*:*:*:*:secret', mode)
    const each = { host: 'db', port: 1, user: 'app', database: 'orders' }

    expect(await readByPoolguard(each)).toBe(readByLibpq(each))
  },
)
