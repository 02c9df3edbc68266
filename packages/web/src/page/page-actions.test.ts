import { HealthMonitor, type ObservedPool } from '@poolguard/core'
import { expect, test, vi } from 'vitest'
import { Drain } from '../endpoints/index.ts'
import { readAction } from './page-actions.ts'
import { PageHandler } from './page-handler.ts'
import { ProcessContent } from './process-content.ts'

const ADDRESS = 'https://app.example/admin/poolguard'
const TOKEN = 'the-token'
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
const SESSION = { pid: 123, startedAt: '1800000000.123456' }

interface Given {
  readonly pool: { readonly resize: ReturnType<typeof vi.fn>; readonly closeIdle: ReturnType<typeof vi.fn> }
  readonly terminate: ReturnType<typeof vi.fn>
  readonly log: string[]
  /** Logs in and returns the session's cookie. */
  logIn(): Promise<string>
  act(action: unknown, headers?: Record<string, string>): Promise<Response>
  /** The id of the pool on the page. */
  poolId(cookie: string): Promise<number>
}

function givenPage({ pageActions = true } = {}): Given {
  const log: string[] = []
  const stats = { max: 5, total: 2, idle: 2, active: 0, connecting: 0, waiting: 0, wait: { count: 0, buckets: [] } }
  const snapshot = { name: 'orders', target: 'db/orders', stats, topology: null, fleet: null }
  const pool = { snapshot: () => snapshot, resize: vi.fn(), closeIdle: vi.fn(async () => {}) }
  const terminate = vi.fn(async () => true)
  const source = { source: 'db:5432/orders', read: async () => [], report: async () => undefined, terminate }
  const pools = [pool as unknown as ObservedPool]
  const monitor = new HealthMonitor({ pools: () => [] })
  const content = new ProcessContent({
    ...{ monitor, pools: () => pools, drain: new Drain(), pageSources: [source], pageActions },
  })
  const page = new PageHandler({ content, adminTokens: [TOKEN], log: (line) => void log.push(line) })
  const ask = (query: string, init: RequestInit) => page.respond(new Request(`${ADDRESS}${query}`, init), '10.0.0.3')
  return {
    ...{ pool, terminate, log },
    logIn: async () => {
      const body = JSON.stringify({ token: TOKEN })
      const answer = await ask('?do=login', { method: 'POST', headers: SAME_ORIGIN, body })
      return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    },
    act: (action, headers = {}) =>
      ask('?do=act', { method: 'POST', headers: { ...SAME_ORIGIN, ...headers }, body: JSON.stringify(action) }),
    poolId: async (cookie) => {
      const answer = (await (await ask('?get=data', { headers: { cookie } })).json()) as {
        pools: { entries: { id: number }[] }
      }
      return answer.pools.entries[0]?.id ?? 0
    },
  }
}

test('given a session, then it resizes a pool, closes idle connections and terminates a session, each with a log line', async () => {
  const { pool, terminate, log, logIn, act, poolId } = givenPage()
  const cookie = await logIn()
  const id = await poolId(cookie)
  const answers = [
    await act({ action: 'resize', pool: id, max: 8 }, { cookie }),
    await act({ action: 'close idle', pool: id }, { cookie }),
    await act({ action: 'terminate', source: 'db:5432/orders', ...SESSION }, { cookie }),
  ]

  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
  expect(pool.resize).toHaveBeenCalledExactlyOnceWith({ max: 8 })
  expect(pool.closeIdle).toHaveBeenCalledOnce()
  expect(terminate).toHaveBeenCalledExactlyOnceWith(SESSION)
  const who = `Session ${/\.([\w-]+)\./.exec(cookie)?.[1]} from 10.0.0.3`
  expect(log).toEqual([
    `${who} resized pool "orders" from 5 to 8.`,
    `${who} closed 2 idle connections of pool "orders".`,
    `${who} terminated session 123 of db:5432/orders.`,
  ])
})

test('given an action that fails, then the user and the log get the reason', async () => {
  const { pool, terminate, log, logIn, act, poolId } = givenPage()
  const cookie = await logIn()
  pool.resize.mockImplementation(() => {
    throw new Error('max must be at least min')
  })
  terminate.mockResolvedValueOnce(false).mockRejectedValueOnce(Object.assign(new Error('denied'), { code: '42501' }))
  const end = { action: 'terminate', source: 'db:5432/orders', ...SESSION }
  const reasons = []
  for (const action of [
    { action: 'resize', pool: await poolId(cookie), max: 1 },
    { action: 'resize', pool: 999_999, max: 1 },
    end,
    end,
    { ...end, source: 'other' },
  ]) {
    const answer = await act(action, { cookie })
    reasons.push([answer.status, ((await answer.json()) as { message: string }).message])
  }

  expect(reasons).toEqual([
    [409, 'max must be at least min'],
    [409, 'The pool has been closed.'],
    [409, 'Session 123 has ended already.'],
    [409, expect.stringContaining('It needs pg_signal_backend')],
    [409, 'The page does not show such a server.'],
  ])
  expect(log).toHaveLength(5)
  expect(log[2]).toMatch(/could not terminate session 123 of db:5432\/orders: Session 123 has ended already\.$/)
})

test('given line ends and control characters in a request and in an error, then each action has one line in the log', async () => {
  const { pool, terminate, log, logIn, act, poolId } = givenPage()
  const cookie = await logIn()
  const hostile = 'x\r\nSession 1 from 10.0.0.9 did it\u001b[2J\u009b\u2028\u202e'
  const escaped = String.raw`x\u{d}\u{a}Session 1 from 10.0.0.9 did it\u{1b}[2J\u{9b}\u{2028}\u{202e}`
  pool.resize.mockImplementation(() => {
    throw new Error(hostile)
  })
  terminate.mockRejectedValueOnce(new Error(hostile))
  await act({ action: 'terminate', source: hostile, ...SESSION }, { cookie })
  await act({ action: 'terminate', source: 'db:5432/orders', ...SESSION }, { cookie })
  await act({ action: 'resize', pool: await poolId(cookie), max: 8 }, { cookie })

  expect(log.map((line) => line.replace(/^Session [\w-]+ from 10\.0\.0\.3 /, ''))).toEqual([
    `could not terminate session 123 of ${escaped}: The page does not show such a server.`,
    `could not terminate session 123 of db:5432/orders: ${escaped}`,
    expect.stringMatching(/^could not resize pool \d+ to 8: /),
  ])
  expect(log[2]?.endsWith(escaped)).toBe(true)
})

test.each<[what: string, status: number, headers: (cookie: string) => Record<string, string>]>([
  ['without a session', 401, () => ({})],
  ['with a token instead of a session', 401, () => ({ authorization: `Bearer ${TOKEN}` })],
  ['with a changed cookie', 401, (cookie) => ({ cookie: `${cookie}x` })],
  ['with an empty cookie before the session', 401, (cookie) => ({ cookie: `poolguard_session=; ${cookie}` })],
  ['from another site', 403, (cookie) => ({ cookie, 'sec-fetch-site': 'cross-site' })],
  ['from another port or subdomain', 403, (cookie) => ({ cookie, 'sec-fetch-site': 'same-site' })],
  ['from the address bar', 403, (cookie) => ({ cookie, 'sec-fetch-site': 'none' })],
  ['with two values of Sec-Fetch-Site', 403, (cookie) => ({ cookie, 'sec-fetch-site': 'same-origin, cross-site' })],
  ['from a form of another site', 400, (cookie) => ({ cookie, 'content-type': 'text/plain' })],
  [
    'with a content type that only contains JSON',
    400,
    (cookie) => ({ cookie, 'content-type': 'text/plain; x=application/json' }),
  ],
])('given an action %s, then the status is %i, and nothing happens', async (_what, status, headers) => {
  const { pool, log, logIn, act, poolId } = givenPage()
  const cookie = await logIn()
  const answer = await act({ action: 'resize', pool: await poolId(cookie), max: 8 }, headers(cookie))

  expect(answer.status).toBe(status)
  expect(pool.resize).not.toHaveBeenCalled()
  expect(log).toEqual([])
})

test.each([
  ['X-HTTP-Method-Override', { 'x-http-method-override': 'POST' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'app.example' }],
  ['X-Original-URL', { 'x-original-url': '/admin/poolguard?do=act' }],
])('given the header %s in a GET or in a request of another site, then it changes nothing', async (_name, header) => {
  const { pool, logIn, act, poolId } = givenPage()
  const cookie = await logIn()
  const action = { action: 'resize', pool: await poolId(cookie), max: 8 }
  const foreign = { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example', ...header }

  expect((await act(action, foreign as Record<string, string>)).status).toBe(403)
  expect(pool.resize).not.toHaveBeenCalled()
})

test('given no option, then there are no actions, for a session either', async () => {
  const { pool, terminate, log, logIn, act, poolId } = givenPage({ pageActions: false })
  const cookie = await logIn()
  const id = await poolId(cookie)
  for (const action of [
    { action: 'resize', pool: id, max: 8 },
    { action: 'close idle', pool: id },
    { action: 'terminate', source: 'db:5432/orders', ...SESSION },
  ]) {
    expect((await act(action, { cookie })).status).toBe(404)
  }
  expect([pool.resize, pool.closeIdle, terminate].flatMap(({ mock }) => mock.calls)).toEqual([])
  expect(log).toEqual([])
})

test.each([
  null,
  {},
  [],
  { action: 'drop' },
  { action: 'resize', pool: 1 },
  { action: 'resize', pool: 1, max: 0 },
  { action: 'resize', pool: 1, max: 1.5 },
  { action: 'resize', pool: 1, max: '8' },
  { action: 'resize', pool: 1, max: 1e9 },
  { action: 'close idle' },
  { action: 'terminate', source: 'a', pid: 1 },
  { action: 'terminate', source: 'a', pid: 1, startedAt: '' },
  { action: 'terminate', source: 'a', pid: 1, startedAt: 'now()' },
  { action: 'terminate', source: 'a', pid: -1, startedAt: '1' },
  { action: 'terminate', source: 1, pid: 1, startedAt: '1' },
])('%j is no action', (body) => {
  expect(readAction(body)).toBeUndefined()
})
