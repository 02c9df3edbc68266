import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { findTarget } from '../target.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolguard-service-'))
  writeFileSync(
    join(folder, '.pg_service.conf'),
    '[prod]\nhost=prod.internal\nport=5433\nuser=alice\npassword=s3rvice\n[open]\nhost=open.internal\n',
  )
  writeFileSync(join(folder, 'project.conf'), '[prod]\nhost=evil\n[dev]\nhost=evil\n')
})
beforeEach(() => {
  vi.stubEnv('HOME', folder)
  vi.stubEnv('PGSYSCONFDIR', folder)
  return () => vi.unstubAllEnvs()
})
afterAll(() => rmSync(folder, { recursive: true }))

type Variables = Record<string, string>

function urlOf(file: Variables, shell: Variables, url?: string): string | undefined {
  return findTarget({ url, folder, env: { HOME: folder, ...shell }, variables: file })?.url.href
}

const PROD = 'postgresql://alice:s3rvice@prod.internal:5433'
const byParameter = (service: string) => ({ DATABASE_URL: `postgresql:///orders?service=${service}` })

describe("the user's service", () => {
  test.each<[given: string, file: Variables, shell: Variables, url: string | undefined, found: string]>([
    ['an argument names', {}, {}, 'postgresql:///?service=prod', `${PROD}/?service=prod`],
    ['PGSERVICE names', {}, { PGSERVICE: 'prod' }, undefined, `${PROD}/?service=prod`],
    ["a project's URL names", byParameter('prod'), {}, undefined, `${PROD}/orders?service=prod`],
    ["a project's PGSERVICE names", { PGSERVICE: 'prod' }, {}, undefined, `${PROD}/?service=prod`],
    ['has precedence over variables', {}, { PGSERVICE: 'prod', PGUSER: 'bob' }, undefined, `${PROD}/?service=prod`],
    [
      'fills the gaps of an argument',
      {},
      { PGSERVICE: 'prod' },
      'postgresql://db/orders',
      'postgresql://alice:s3rvice@db:5433/orders?service=prod',
    ],
  ])('that %s is read', (_given, file, shell, url, found) => {
    expect(urlOf(file, shell, url)).toBe(found)
  })

  test.each<[given: string, file: Variables, shell?: Variables]>([
    ["a project's host", { DATABASE_URL: 'postgresql://evil/orders?service=prod' }],
    ["a project's host among the parameters", { DATABASE_URL: 'postgresql:///orders?host=evil&service=prod' }],
    ["a project's host, as keywords", { DATABASE_URL: 'postgresql://:5432/orders?service=prod' }],
    ["a project's address", { DATABASE_URL: 'postgresql:///orders?hostaddr=192.0.2.1&service=prod' }],
    ["a project's PGHOST", { PGHOST: 'evil', PGSERVICE: 'prod' }],
    ["a project's PGHOSTADDR", { PGHOSTADDR: '192.0.2.1', ...byParameter('prod') }],
    ["a project's host and the shell's service", { DATABASE_URL: 'postgresql://evil/orders' }, { PGSERVICE: 'prod' }],
    ["a project's address and the shell's service", { PGHOSTADDR: '192.0.2.1' }, { PGSERVICE: 'prod' }],
  ])('is not combined with %s', (_given, file, shell = {}) => {
    const url = urlOf(file, shell)

    expect(url).not.toContain('s3rvice')
    expect(url).not.toContain('service=prod')
  })

  test('leaves no trace in a URL if none is named', () => {
    const url = 'postgresql://app@db/orders'
    expect(urlOf({ DATABASE_URL: url }, {})).toBe(url)
  })

  test.each<[given: string, file: Variables]>([
    ['a parameter', { DATABASE_URL: `postgresql:///orders?service=dev&servicefile=project.conf` }],
    ['a variable', { PGSERVICEFILE: 'project.conf', ...byParameter('dev') }],
  ])('is not looked up in a file that a project names with %s', (_given, file) => {
    expect(urlOf(file, {})).toBe('postgresql:///orders?service=dev')
  })

  test("that a project names does not get the shell's password", () => {
    expect(urlOf(byParameter('open'), { PGPASSWORD: 's3cret' })).toBe('postgresql://open.internal/orders?service=open')
    expect(urlOf({}, { PGSERVICE: 'open', PGPASSWORD: 's3cret' })).toBe(
      'postgresql://:s3cret@open.internal/?service=open',
    )
  })
})
