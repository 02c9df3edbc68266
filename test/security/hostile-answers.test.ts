import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, PgBouncerConsole, pgBouncerSource, postgresSource } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ImitatedRow } from '../imitations/protocol.ts'
import { type Answer, imitateServer, PID } from '../imitations/server.ts'

/** The most that discovery alone gives a pool. */
const MAX_DISCOVERED = 100
const CALLERS = 300

const CAPACITY: ImitatedRow = {
  maxConnections: 100,
  reserved: 3,
  roleLimit: null,
  databaseLimit: null,
  used: 1,
  usedByRole: 1,
  usedByDatabase: 1,
}

/** The answers of a server whose limits are `capacity`, to what pools ask; one row to everything else. */
function answersWith(capacity: ImitatedRow | string): Answer {
  const json = typeof capacity === 'string' ? capacity : JSON.stringify(capacity)
  return (statement) => {
    if (statement.includes('json_build_object')) return [{ look: `{"capacity": ${json}, "rows": []}` }]
    if (statement.includes('pg_prepared_statements')) return [{ pid: PID, name: null, along: json }]
    if (statement.includes('row_to_json') && statement.includes('pg_backend_pid')) return [{ pid: PID, along: json }]
    if (statement.includes('row_to_json')) return [{ along: json }]
    if (statement.includes('pg_backend_pid')) return [{ pid: PID }]
    return [{ n: 1 }]
  }
}

interface Seen {
  readonly max: number
  readonly served: number
  readonly warnings: readonly string[]
}

type Serve = (
  url: string,
  options: { readonly instances: number } | { readonly fleet: { readonly app: string } },
) => Promise<Seen>

function collect(): { readonly warnings: string[]; readonly onEvent: (event: PoolEvent) => void } {
  const warnings: string[] = []
  return { warnings, onEvent: (event) => event.type === 'warning' && warnings.push(event.message) }
}

const withPg: Serve = async (url, options) => {
  const { warnings, onEvent } = collect()
  const pool = new GuardedPool({ url, ...options, name: 'hostile', onEvent })
  const calls = Array.from({ length: CALLERS }, () => pool.query('select 1 as n'))
  const served = (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled').length
  const { max } = pool.snapshot().stats
  await pool.end()
  return { max, served, warnings }
}

const withPostgresJs: Serve = async (url, options) => {
  const { warnings, onEvent } = collect()
  const sql = guardPostgres(url, { ...options, name: 'hostile', onEvent, fetch_types: false })
  const calls = Array.from({ length: CALLERS }, () => sql`select 1 as n`.then(() => {}))
  const served = (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled').length
  const { max } = sql.snapshot().stats
  await sql.end({ timeout: 1 })
  return { max, served, warnings }
}

const DRIVERS: readonly (readonly [name: string, serve: Serve])[] = [
  ['pg', withPg],
  ['postgres.js', withPostgresJs],
]

const urlOf = ({ port }: { readonly port: number }, database = 'app') =>
  `postgresql://app@127.0.0.1:${port}/${database}`

describe.each(DRIVERS)('given an imitated server and %s', (_name, serve) => {
  test.each<[what: string, capacity: ImitatedRow | string]>([
    ['a number that is none', { ...CAPACITY, maxConnections: 'NaN' }],
    ['no number', { ...CAPACITY, maxConnections: null }],
    ['more than any server has', { ...CAPACITY, maxConnections: 2_147_483_647 }],
    ['a number below 0', { ...CAPACITY, reserved: -5 }],
    ['a row without columns', {}],
    ['a list', '[1]'],
    ['no JSON', '"s3cret'],
  ])('that tells %s as its limits, then all are served and one warning names the answer', async (_what, capacity) => {
    await using server = await imitateServer({ answer: answersWith(capacity) })
    const seen = await serve(urlOf(server), { instances: 2 })

    expect(seen).toMatchObject({ max: 1, served: CALLERS })
    expect(seen.warnings).toEqual([
      expect.stringContaining("the answer to the query for the server's limits is invalid"),
    ])
    expect(seen.warnings.join()).not.toContain('s3cret')
  })

  test('that tells the most that a server can have, then the pool keeps to its ceiling', async () => {
    await using server = await imitateServer({ answer: answersWith({ ...CAPACITY, maxConnections: 262_143 }) })
    const { max, served } = await serve(urlOf(server), { instances: 1 })

    expect({ max, served }).toEqual({ max: MAX_DISCOVERED, served: CALLERS })
    expect(server.mostOpen).toBeLessThanOrEqual(MAX_DISCOVERED)
  })

  test('that tells nonsense to a fleet, then all are served and one warning names the answer', async () => {
    await using server = await imitateServer({ answer: answersWith({ ...CAPACITY, used: 'x' }) })
    const { max, served, warnings } = await serve(urlOf(server), { fleet: { app: 'orders' } })

    expect({ max, served }).toEqual({ max: 1, served: CALLERS })
    expect(warnings).toEqual([expect.stringContaining('"used" is a text')])
  })

  test('that tells no pid, then all are served', async () => {
    const honest = answersWith(CAPACITY)
    const answer: Answer = (statement, database) =>
      honest(statement, database).map((row) => ('pid' in row ? { ...row, pid: 'none' } : row))
    await using server = await imitateServer({ answer })
    const { max, served } = await serve(urlOf(server), { instances: 2 })

    expect({ max, served }).toEqual({ max: 1, served: CALLERS })
  })
})

const ACTIVITY: ImitatedRow = {
  state: 'idle',
  count: 3,
  oldestSeconds: 0.5,
  longestIdleInTransactionSeconds: 0,
  maxConnections: 100,
  reserved: 3,
}

const DATABASE = {
  ...{ name: 'app', host: 'db', port: 5432, database: 'app', force_user: null, pool_size: 20, min_pool_size: 0 },
  ...{ reserve_pool_size: 0, pool_mode: null, max_connections: 0, current_connections: 1, paused: 0, disabled: 0 },
}
const POOL = {
  ...{ database: 'app', user: 'app', cl_active: 1, cl_waiting: 0, sv_active: 0, sv_idle: 1, sv_used: 0 },
  ...{ sv_tested: 0, sv_login: 0, maxwait: 0, maxwait_us: 0, pool_mode: 'transaction' },
}
const STATS = {
  ...{ database: 'app', total_xact_count: 1, total_query_count: 1, total_received: 1, total_sent: 1 },
  ...{ total_xact_time: 1, total_query_time: 1, total_wait_time: 1 },
}
const SHOWN: Readonly<Record<string, readonly ImitatedRow[]>> = {
  VERSION: [{ version: 'PgBouncer 1.24.1' }],
  POOLS: [POOL],
  DATABASES: [DATABASE],
  STATS: [STATS],
  CONFIG: [{ key: 'max_client_conn', value: '100', default: '100', changeable: 'yes' }],
}

/** PgBouncer's console, of which one column of one answer is another. */
function consoleWith(command: string, column: string, value: unknown): Answer {
  return (statement) => {
    const asked = statement.replace('SHOW ', '')
    const rows = SHOWN[asked] ?? []
    if (asked !== command) return rows
    return rows.map((row) => {
      const { [column]: _left, ...others } = row
      return value === undefined ? others : { ...others, [column]: value }
    })
  }
}

describe('given a source of metrics', () => {
  afterEach(() => vi.restoreAllMocks())

  async function scrape(source: {
    read(): Promise<readonly { name: string; samples: readonly { value: unknown }[] }[]>
  }) {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    await source.read()
    const families = await source.read()
    const values = families.flatMap(({ samples }) => samples.map(({ value }) => value))
    return { warnings: warn.mock.calls.map(([text]) => String(text)), values, names: families.map(({ name }) => name) }
  }

  test.each(
    Object.keys(ACTIVITY).flatMap((column) => [null, 'many', undefined].map((value) => [column, value] as const)),
  )('of PostgreSQL that tells %s as %j, then it is left out with one warning', async (column, value) => {
    const { [column]: _left, ...others } = ACTIVITY
    const row = value === undefined ? others : { ...others, [column]: value }
    await using server = await imitateServer({ answer: (text) => (text.includes('oldestSeconds') ? [row] : []) })
    const { warnings, values } = await scrape(postgresSource(urlOf(server), { intervalMillis: 0 }))
    const isText = column === 'state' && value === 'many'

    expect(warnings).toEqual(isText ? [] : [expect.stringContaining(`"${column}"`)])
    if (!isText) expect(values).toEqual([0])
  })

  const columns = Object.entries({ POOLS: POOL, DATABASES: DATABASE, STATS }).flatMap(([command, row]) =>
    Object.keys(row).map((column) => [command, column] as const),
  )
  test.each(columns)(
    'of PgBouncer that tells nonsense in SHOW %s as %s, then no value is other than a number',
    async (command, column) => {
      for (const value of ['-1', 'NaN', '', undefined]) {
        await using server = await imitateServer({ answer: consoleWith(command, column, value) })
        const { values, warnings } = await scrape(pgBouncerSource(urlOf(server), { intervalMillis: 0 }))

        for (const each of values) expect(Number.isFinite(each)).toBe(true)
        expect(warnings.length).toBeLessThanOrEqual(1)
        vi.restoreAllMocks()
      }
    },
  )

  test('of an honest PgBouncer, then its figures are shown', async () => {
    await using server = await imitateServer({ answer: consoleWith('', '', undefined) })
    const { warnings, names } = await scrape(pgBouncerSource(urlOf(server), { intervalMillis: 0 }))

    expect(warnings).toEqual([])
    expect(names).toContain('pgbouncer_pools_client_active_connections')
  })
})

test('given a console that answers with nonsense, then its error names the command and the column', async () => {
  await using server = await imitateServer({ answer: consoleWith('POOLS', 'cl_active', 's3cret') })
  await using console = await PgBouncerConsole.connect(urlOf(server))

  await expect(console.pools()).rejects.toMatchObject({
    code: 'POOLGUARD_INVALID_ANSWER',
    message: expect.stringMatching(/^The answer to SHOW POOLS is invalid: "cl_active" is a text instead of/),
  })
})
