import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { FIXTURES, runPoolguard } from './run-poolguard.ts'

const folder = join(FIXTURES, 'nest-typeorm-replicas')
const HAN = /\p{Script=Han}/u

describe('poolguard check in Chinese', () => {
  const check = ['check', '--max-connections', '100']

  test('finds the same, with the same numbers, and explains it in Chinese', async () => {
    const [english, chinese, byLocale] = await Promise.all([
      runPoolguard(check, { folder }),
      runPoolguard([...check, '--lang', 'zh'], { folder }),
      runPoolguard(check, { folder, env: { LANG: 'zh_CN.UTF-8' } }),
    ])

    expect(english.code).toBe(1)
    expect(chinese.code).toBe(1)
    expect(byLocale.stdout).toBe(chinese.stdout)
    expect(rulesIn(chinese.stdout)).toEqual(rulesIn(english.stdout))
    expect(numbersIn(chinese.stdout)).toEqual(numbersIn(english.stdout))
    expect(untranslated(chinese.stdout)).toEqual([])
  })

  test('is English for programs', async () => {
    for (const format of [['--json'], ['--format', 'sarif']]) {
      const english = await runPoolguard([...check, ...format], { folder })
      const chinese = await runPoolguard([...check, ...format, '--lang', 'zh'], { folder })

      expect(JSON.parse(chinese.stdout)).toEqual(JSON.parse(english.stdout))
    }
  })
})

test('plan and generate speak Chinese, and the generated files are in English', async () => {
  const options = ['--max-connections', '100', '--instances', '6', '--max-surge', '25%']
  const plan = await runPoolguard(['plan', ...options, '--lang', 'zh'])
  const english = await runPoolguard(['plan', ...options])
  const print = ['generate', 'postgres', ...options, '--memory', '8GB', '--print']

  expect(plan.stdout).toContain('max_connections 100 - 3 个保留 = 97')
  expect(numbersIn(plan.stdout)).toEqual(numbersIn(english.stdout))
  expect(untranslated(plan.stdout)).toEqual([])
  expect((await runPoolguard([...print, '--lang', 'zh'])).stdout).toBe((await runPoolguard(print)).stdout)
})

test('doctor on a server in trouble names the same sessions and prints the same SQL', async () => {
  await using server = await startPostgres({ maxConnections: 30 })
  await server.query('create table things (name text)')
  await server.query("insert into things values ('x')")
  await server.query('grant all on things to app')
  await using sessions = await openSessions(server)
  const url = server.url
  const english = await runPoolguard(['doctor', url], { folder })
  const chinese = await runPoolguard(['doctor', url, '--lang', 'zh'], { folder })

  expect(chinese.code).toBe(1)
  expect(rulesIn(english.stdout)).toContain('blocking-lock')
  expect(rulesIn(chinese.stdout)).toEqual(rulesIn(english.stdout))
  expect(chinese.stdout).toContain(`pid ${sessions.blocker}`)
  expect(statementsIn(chinese.stdout)).toEqual(statementsIn(english.stdout))
  expect(numbersIn(withoutTimes(chinese.stdout))).toEqual(numbersIn(withoutTimes(english.stdout)))
  expect(untranslated(chinese.stdout)).toEqual([])

  const json = await runPoolguard(['doctor', url, '--lang', 'zh', '--json'], { folder })
  expect(json.stdout).not.toMatch(HAN)
  expect(JSON.parse(json.stdout).findings).not.toEqual([])
})

/** A session that holds a lock in an idle transaction, and two sessions that wait for it. */
async function openSessions(server: PostgresServer): Promise<AsyncDisposable & { readonly blocker: number }> {
  const clients = Array.from(
    { length: 3 },
    () => new pg.Client({ connectionString: server.url, application_name: 'orders' }),
  )
  await Promise.all(clients.map((client) => client.connect()))
  const [blocker, ...waiters] = clients as [pg.Client, ...pg.Client[]]
  const { rows } = await blocker.query<{ pid: number }>('select pg_backend_pid() as pid')
  await blocker.query('begin')
  await blocker.query('update things set name = name')
  const waiting = waiters.map((client) => client.query('update things set name = name').catch(() => undefined))
  await waitUntil(
    async () => {
      const [row] = await server.query(
        "select count(*)::int as n from pg_locks where not granted and waitstart < now() - interval '1 second'",
      )
      return row?.n >= 2
    },
    { what: 'sessions to wait for the lock' },
  )
  return {
    blocker: rows[0]?.pid ?? 0,
    async [Symbol.asyncDispose]() {
      await blocker.query('rollback')
      await Promise.all(waiting)
      await Promise.all(clients.map((client) => client.end()))
    },
  }
}

function rulesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\S+ {2}.* \(([a-z-]+)\)$/gm)].map(([, rule]) => rule ?? '')
}

function numbersIn(text: string): readonly string[] {
  return (text.match(/\d+(?:\.\d+)?/g) ?? []).toSorted()
}

/** Durations and the time of reading differ from run to run. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(/\b\d+ (?:s|min)\b/g, '')
    .replaceAll(/to_timestamp\(\d+\)/g, '')
    .replaceAll(/:\d{5}\b/g, '')
}

/** Lines of SQL and commands, which are indented by four columns. */
function statementsIn(text: string): readonly string[] {
  return withoutTimes(text).match(/^ {4}\S.*;$/gm) ?? []
}

/** Lines with several English words and no Chinese, without statements, tables and lists of files. */
function untranslated(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !HAN.test(line) && !/^ {4}/.test(line) && /[a-z]{3,} [a-z]{3,} [a-z]{3,}/.test(line))
}
