import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConnectionString } from '@poolguard/core/postgres'
import { expect, test } from 'vitest'
import { CannotConnectError, cannotConnect } from './cannot-connect.ts'
import { ADVICE, explainConnectError } from './explain-connect-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'poolguard-connect-errors-'))
writeFileSync(
  join(folder, 'compose.yaml'),
  'services: { api: { build: . }, postgres: { image: postgres, ports: ["5433:5432"] }, cache: { image: redis } }',
)

const failure = (message: string, code: string) => Object.assign(new Error(message), { code })

function explain(url: string, error: unknown): string {
  const help = explainConnectError(error, { url: parseConnectionString(url), folder })
  expect(help?.page).toContain(`/docs/connection-errors.md#${help?.cause}`)
  return [help?.meaning, ...(help?.now.flatMap(({ text, run }) => [text, run]) ?? []), help?.remedy].join('\n')
}

const unknownHost = failure('getaddrinfo ENOTFOUND', 'ENOTFOUND')
const refused = failure('connect ECONNREFUSED', 'ECONNREFUSED')

test.each<[given: string, url: string, error: unknown, says: readonly string[]]>([
  [
    'a service of the compose file, outside of Compose',
    'postgres://app:s3cret@postgres/app',
    unknownHost,
    ['service postgres of compose.yaml', 'localhost:5433', 'docker compose exec api npx poolguard doctor'],
  ],
  [
    'a service without a published port',
    'postgres://app:s3cret@cache:6379/app',
    unknownHost,
    ['service cache of compose.yaml', 'ports: ["127.0.0.1:6379:6379"]'],
  ],
  ['a name without a dot', 'postgres://app:s3cret@database/app', unknownHost, ['A name without a dot']],
  [
    'a Service of Kubernetes',
    'postgres://app:s3cret@db.shop.svc.cluster.local/app',
    unknownHost,
    ['kubectl port-forward -n shop service/db 5432'],
  ],
  [
    'a private name of Railway',
    'postgres://app@postgres.railway.internal/app',
    unknownHost,
    ['public or external URL'],
  ],
  ['a private name of Render', 'postgres://app@dpg-abc123-a/app', unknownHost, ['public or external URL']],
  ["Docker's name for the host", 'postgres://app@host.docker.internal/app', unknownHost, ['localhost:5432']],
  ['another name', 'postgres://app@db.example.com/app', unknownHost, ['Check the spelling', 'percent-encoded']],
  ['no socket', 'postgres://app@/app?host=/var/run/postgresql', failure('connect ENOENT', 'ENOENT'), ['no socket of']],
  [
    'a closed port of another host',
    'postgres://app@10.0.0.9:5999/app',
    refused,
    ['port 5999', 'correct host and port'],
  ],
  ['a firewall', 'postgres://app@10.0.0.9/app', failure('timeout', 'ETIMEDOUT'), ['nc -vz -w 5 10.0.0.9 5432']],
  [
    "PgBouncer's failed login",
    'postgres://app@pooler:6432/app',
    failure('server login has been failing, cached error: connect failed (server_login_retry)', '08P01'),
    ['(connect failed)', 'SET server_login_retry = 1;'],
  ],
])('given %s', (_, url, error, says) => {
  const text = explain(url, error)

  for (const each of says) expect(text).toContain(each)
  expect(text).not.toContain('s3cret')
})

test('an unknown error has no advice, and its message stays', () => {
  const url = parseConnectionString('postgres://app:s3cret@db/app')
  const error = cannotConnect(url, new Error('an unknown problem.'), folder)

  expect(error).toBeInstanceOf(CannotConnectError)
  expect([error.message, error.details]).toEqual(['Cannot connect to postgres://app@db/app: an unknown problem.', {}])
})

test.each(['docs', 'docs/zh'])('every cause has a section in %s, and every section a cause', (folder) => {
  const page = readFileSync(join(import.meta.dirname, '../../../..', folder, 'connection-errors.md'), 'utf8')

  expect([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading).toSorted()).toEqual(
    Object.keys(ADVICE).toSorted(),
  )
})
