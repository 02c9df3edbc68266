import { HealthMonitor, type ObservedPool, type PoolSnapshot } from '@poolguard/core'
import type { PageDocument } from '@poolguard/page'
import { expect, test } from 'vitest'
import { Drain } from '../endpoints/index.ts'
import { PageHandler } from './page-handler.ts'
import { ProcessContent } from './process-content.ts'

const ADDRESS = 'https://app.example/admin/poolguard'
const TOKEN = 'the-token'
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }

function givenPage(pools: readonly ObservedPool[] = []): (query?: string, init?: RequestInit) => Promise<Response> {
  const monitor = new HealthMonitor({ pools: () => pools })
  const content = new ProcessContent({
    monitor,
    pools: () => pools,
    drain: new Drain(),
    pageSources: [],
    pageActions: false,
  })
  const page = new PageHandler({ content, adminTokens: [TOKEN, 'next'] })
  return (query = '', init = {}) => page.respond(new Request(`${ADDRESS}${query}`, init))
}

const logIn = (token: unknown, headers: Record<string, string> = SAME_ORIGIN): RequestInit => ({
  method: 'POST',
  headers,
  body: JSON.stringify({ token }),
})

test('given no session, then the page and its files are served, and nothing else', async () => {
  const ask = givenPage()
  const page = await ask()
  const html = await page.text()
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(html).not.toMatch(/<script>|<style| style=| on\w+=/)
  for (const [, name] of html.matchAll(/(?:src|href)="(\?file=[^"]+)"/g)) {
    const file = await ask(name)
    expect([file.status, file.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
  }
  for (const query of ['?get=data', '?get=stream', '?get=history&pools=1', '?get=stack&holder=1-1', '?get=nothing']) {
    expect((await ask(query)).status, query).toBe(401)
  }
  expect(await (await ask('?get=session')).json()).toEqual({ signedIn: false })
  expect((await ask('?file=../package.json')).status).toBe(404)
  expect((await ask('', { method: 'DELETE' })).status).toBe(405)
})

test('given any answer, then it forbids scripts of others, frames, and storing', async () => {
  const ask = givenPage()
  for (const answer of [await ask(), await ask('?get=data'), await ask('?do=login', logIn('wrong'))]) {
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  }
})

test('given the token, then a session begins, and the cookie gives access until the log-out', async () => {
  const ask = givenPage()
  const answer = await ask('?do=login', logIn(TOKEN))
  expect(answer.status).toBe(204)
  const setCookie = answer.headers.get('set-cookie') ?? ''
  expect(setCookie).toMatch(/; HttpOnly; SameSite=Strict; Secure$/)
  const cookie = setCookie.split(';')[0] ?? ''

  expect((await ask('?get=data', { headers: { cookie } })).status).toBe(200)
  expect(await (await ask('?get=session', { headers: { cookie } })).json()).toEqual({ signedIn: true })
  const end = await ask('?do=logout', { method: 'POST', headers: { ...SAME_ORIGIN, cookie } })
  expect(end.headers.get('set-cookie')).toMatch(/^poolguard_session=; Max-Age=0;/)
})

test.each<[what: string, status: number, init: RequestInit]>([
  ['a wrong token', 401, logIn('wrong')],
  ['an empty token', 401, logIn('')],
  ['a number', 400, logIn(1)],
  ['no JSON', 400, { method: 'POST', headers: SAME_ORIGIN, body: `token=${TOKEN}` }],
  ['a large body', 400, logIn('x'.repeat(100_000))],
  ['another site', 403, logIn(TOKEN, { 'sec-fetch-site': 'cross-site' })],
  ['an unknown sender', 403, logIn(TOKEN, {})],
])('given a login with %s, then the status is %i, without a session', async (_what, status, init) => {
  const answer = await givenPage()('?do=login', init)
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([status, null])
})

test('given a program with a bearer token, then it reads the figures without a session', async () => {
  const ask = givenPage([poolOf('orders'), poolOf('reports')])
  const headers = { authorization: 'Bearer next' }
  const answer = await ask('?get=data', { headers })
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, null])
  const { pools, holders, waiters } = (await answer.json()) as PageDocument
  expect(pools.entries.map(({ name }) => name)).toEqual(['orders', 'reports'])
  expect(holders).toEqual({
    total: 2,
    entries: [
      expect.objectContaining({ pool: 'orders', label: 'GET /', state: 'idle in transaction', hasStack: true }),
      expect.objectContaining({ pool: 'reports' }),
    ],
  })
  expect(waiters).toEqual({
    total: 2,
    entries: [
      { pool: 'orders', label: null, lane: null, count: 1, waitedMillis: 5 },
      expect.objectContaining({ pool: 'reports' }),
    ],
  })
  const filtered = (await (await ask('?get=data&filter=rep', { headers })).json()) as PageDocument
  expect([filtered.pools.total, filtered.holders.total]).toEqual([1, 1])
  const stack = await ask(`?get=stack&holder=${holders.entries[0]?.id}`, { headers })
  expect(await stack.json()).toEqual({ stack: 'at orders' })
  expect(await (await ask('?get=stack&holder=9999-1', { headers })).json()).toEqual({ stack: null })
  expect((await ask('?get=data', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
})

test('given a stream, then it sends the figures at once', async () => {
  const answer = await givenPage([poolOf('orders')])('?get=stream', { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  const reader = answer.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  const [, data = ''] = /^retry: 1000\ndata: (.+)\n\n$/.exec(new TextDecoder().decode(value)) ?? []
  expect(JSON.parse(data).pools.total).toBe(1)
  await reader?.cancel()
})

/** A pool with one connection in use and one caller that waits. */
function poolOf(name: string): ObservedPool {
  const durations = { count: 0, sumMillis: 0, buckets: [] }
  const counts = { max: 2, min: 0, total: 1, idle: 0, active: 1, connecting: 0, validating: 0, closing: 0, waiting: 1 }
  const counters = { acquired: 1, opened: 1, closed: 0, timeouts: 0, saturated: 0, leaks: 0, suspectedLeaks: 0 }
  const stats = {
    ...counts,
    ...counters,
    ...{ deadlocks: 0, overloaded: false, shed: {}, connectFailures: { full: 0, unavailable: 0, permanent: 0 } },
    ...{ takenAtMillis: 0, leasedMillis: 0, capacityMillis: 0, longestLeaseMillis: 0 },
    ...{ wait: durations, usage: durations, connect: durations, waitByLabel: {} },
  }
  const snapshot = { name, target: `postgresql://app@db/${name}`, stats, topology: null, fleet: null }
  return {
    snapshot: () => snapshot as unknown as PoolSnapshot,
    callers: () => ({
      borrowed: [
        {
          ...{
            id: 1,
            label: 'GET /',
            heldMillis: 10,
            quietMillis: 10,
            stack: `at ${name}`,
            suspected: false,
            lane: null,
          },
          ...{ inTransaction: true, lastStatement: null },
        },
      ],
      waiting: [{ label: null, lane: null, waitedMillis: 5 }],
    }),
  }
}
