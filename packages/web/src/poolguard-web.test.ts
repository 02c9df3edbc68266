import { expect, test } from 'vitest'
import { type PoolguardWeb, type PoolguardWebOptions, poolguardWeb } from './index.ts'

const ORIGIN = 'http://localhost'
const ask = (poolguard: PoolguardWeb, path: string, init?: RequestInit) =>
  poolguard.handler(new Request(`${ORIGIN}${path}`, init))

test('given no options, then only the probes answer', async () => {
  const poolguard = poolguardWeb()
  const [health, ready] = [await ask(poolguard, '/healthz'), await ask(poolguard, '/readyz?verbose')]
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'healthy' }])
  expect(ready.headers.get('cache-control')).toBe('no-store')
  expect(ready.headers.get('content-type')).toBe('application/json; charset=utf-8')
  for (const path of ['/metrics', '/admin/db-pool-stats', '/', '/healthz/more']) {
    expect((await ask(poolguard, path)).status, path).toBe(404)
    expect(await poolguard.respond(new Request(`${ORIGIN}${path}`)), path).toBeUndefined()
  }
})

test('given HEAD requests, then the probes answer as to GET, without a body; other methods are not theirs', async () => {
  const poolguard = poolguardWeb({ metrics: true })
  for (const path of ['/healthz', '/readyz']) {
    const answer = await ask(poolguard, path, { method: 'HEAD' })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect((await ask(poolguard, path, { method: 'POST' })).status).toBe(404)
  }
  expect((await ask(poolguard, '/metrics', { method: 'HEAD' })).status).toBe(404)
})

test('given custom paths and disabled endpoints, then only the custom paths answer', async () => {
  const poolguard = poolguardWeb({ health: false, ready: '/up', metrics: { path: '/m' } })
  expect((await ask(poolguard, '/healthz')).status).toBe(404)
  expect((await ask(poolguard, '/up')).status).toBe(200)
  expect((await ask(poolguard, '/m')).headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const openMetrics = { headers: { accept: 'application/openmetrics-text; version=1.0.0' } }
  expect(await (await ask(poolguard, '/m', openMetrics)).text()).toMatch(/# EOF\n$/)
})

test('given the admin endpoint, then it answers only to one of the tokens', async () => {
  const poolguard = poolguardWeb({ admin: true, adminToken: ['old', 'new'] })
  const stats = (authorization?: string) =>
    ask(poolguard, '/admin/db-pool-stats', authorization === undefined ? {} : { headers: { authorization } })
  for (const header of [undefined, 'Bearer wrong', 'Basic new', 'new']) {
    const refused = await stats(header)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await refused.json()).toMatchObject({ statusCode: 401, error: 'Unauthorized' })
  }
  for (const token of ['old', 'new']) {
    const given = await stats(`Bearer ${token}`)
    expect([given.status, await given.json()]).toMatchObject([200, { status: 'healthy', pools: [] }])
    expect(given.headers.get('cache-control')).toBe('no-store')
  }
})

test('given a drain, then readiness says so, and liveness does not change', async () => {
  const poolguard = poolguardWeb({ details: true })
  await poolguard.drain()
  const ready = await ask(poolguard, '/readyz')
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining', pools: [] }])
  expect((await ask(poolguard, '/healthz')).status).toBe(200)
})

test('given requests that serve runs, then a drain waits until they are done, however they end', async () => {
  const poolguard = poolguardWeb()
  const request = new Request(`${ORIGIN}/orders`)
  const [replied, failed] = [Promise.withResolvers<Response>(), Promise.withResolvers<Response>()]
  const responses = [replied, failed].map(({ promise }) => poolguard.serve(request, {}, () => promise))
  const settled = Promise.allSettled(responses)
  let isDrained = false
  const drained = poolguard.drain().then(() => {
    isDrained = true
  })
  failed.reject(new TypeError('a bug'))
  await expect(responses[1]).rejects.toThrow('a bug')
  expect(isDrained).toBe(false)
  replied.resolve(Response.json('done'))
  await drained
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
})

test.each<[option: string, options: object]>([
  ['thresholds.waiting', { thresholds: { waiting: 5 } }],
  ['windowMillis', { windowMillis: -1 }],
  ['closeDelayMillis', { closeDelayMillis: '5s' }],
  ['adminToken', { admin: true }],
])('given a wrong %s, then the error names it', (option, options) => {
  expect(() => poolguardWeb(options as PoolguardWebOptions)).toThrow(
    expect.objectContaining({ code: 'POOLGUARD_INVALID_OPTION', option }),
  )
})
