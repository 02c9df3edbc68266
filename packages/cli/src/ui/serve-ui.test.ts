import { request } from 'node:http'
import type { PageContent } from '@poolguard/web/adapter'
import { expect, onTestFinished, test } from 'vitest'
import { serveUi } from './serve-ui.ts'

const CONTENT: PageContent = {
  readDocument: () => ({ shown: 'figures' }) as never,
  readHistory: () => ({}),
  readStack: () => null,
  isClosing: false,
}
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

interface Asked {
  readonly address: URL
  readonly token: string
  /** Sends a request line and headers as they are: `fetch` does not let a caller choose the host. */
  ask(target: string, headers?: Record<string, string>, body?: string): Promise<Answer>
}

async function givenUi(): Promise<Asked> {
  const server = await serveUi(CONTENT, 0, () => {})
  onTestFinished(() => server[Symbol.asyncDispose]())
  const address = new URL(server.address)
  const ask = (path: string, headers: Record<string, string> = {}, body?: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const method = body === undefined ? 'GET' : 'POST'
    request({ host: '127.0.0.1', port: address.port, path, method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
      .on('error', reject)
      .end(body)
    return promise
  }
  return { address, token: address.hash.replace('#token=', ''), ask }
}

test('given the address, then its token is in the fragment, and neither the page nor another path shows it', async () => {
  const { address, token, ask } = await givenUi()
  expect([address.hostname, address.search]).toEqual(['127.0.0.1', ''])
  expect(token).toMatch(/^[\w-]{43}$/)
  const page = await ask(address.pathname)
  expect([page.status, page.body.includes(token)]).toEqual([200, false])
  expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
  for (const path of ['/', '/favicon.ico', `${address.pathname}x`, `${address.pathname}/..`, '//127.0.0.1/', '*']) {
    const answer = await ask(path)
    expect([path, answer.status, answer.body.includes(address.pathname)]).toEqual([path, 404, false])
  }
})

test('given the token, then a cookie for this path only gives access', async () => {
  const { address, token, ask } = await givenUi()
  const { pathname } = address
  expect((await ask(`${pathname}?get=data`)).status).toBe(401)
  expect((await ask(`${pathname}?get=data&token=${token}`)).status).toBe(401)
  const login = await ask(`${pathname}?do=login`, SAME_ORIGIN, JSON.stringify({ token }))
  const [setCookie = ''] = login.headers['set-cookie'] ?? []
  expect(login.status).toBe(204)
  expect(setCookie).toMatch(new RegExp(`; Max-Age=3600; Path=${pathname}; HttpOnly; SameSite=Strict$`))
  expect(setCookie).not.toContain(token)

  const cookie = setCookie.split(';')[0] ?? ''
  expect((await ask(`${pathname}?get=data`, { cookie })).body).toBe('{"shown":"figures"}')
  const wrong = await ask(`${pathname}?do=login`, SAME_ORIGIN, JSON.stringify({ token: `${token}x` }))
  expect([wrong.status, wrong.headers['set-cookie']]).toEqual([401, undefined])
})

test('given two servers, then the session of one is none of the other', async () => {
  const [one, other] = [await givenUi(), await givenUi()]
  const login = await one.ask(`${one.address.pathname}?do=login`, SAME_ORIGIN, JSON.stringify({ token: one.token }))
  const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  expect((await other.ask(`${other.address.pathname}?get=data`, { cookie })).status).toBe(401)
})

test.each([
  ['evil.example', 421],
  ['evil.example:80', 421],
  ['127.0.0.1.evil.example', 421],
  ['localhost.evil.example:4983', 421],
  ['evil.example#127.0.0.1', 421],
  ['127.0.0.1@evil.example', 421],
  ['192.168.0.1', 421],
  ['[::1]', 421],
  ['127.0.0.1', 200],
  ['localhost:8080', 200],
  ['LOCALHOST', 200],
])('given the Host header %j, then the status is %i', async (host, status) => {
  const { address, ask } = await givenUi()
  const answer = await ask(address.pathname, { host })
  expect(answer.status).toBe(status)
  if (status !== 200) expect(answer.body).not.toContain('poolguard</title>')
})

test.each<[what: string, headers: Record<string, string>]>([
  ['a site of the same host on another port', { ...SAME_ORIGIN, 'sec-fetch-site': 'same-site' }],
  ['another site', { ...SAME_ORIGIN, 'sec-fetch-site': 'cross-site' }],
  ['another origin', { origin: 'http://127.0.0.1:1' }],
  [
    'a site that names itself in headers for proxies',
    { origin: 'http://evil.example', 'x-forwarded-host': 'evil.example' },
  ],
])('given a login from %s, then it is refused', async (_what, headers) => {
  const { address, token, ask } = await givenUi()
  const answer = await ask(`${address.pathname}?do=login`, headers, JSON.stringify({ token }))
  expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined])
})

test('given a port that is in use, then the error says what to do', async () => {
  const { address } = await givenUi()
  await expect(serveUi(CONTENT, Number(address.port), () => {})).rejects.toThrow(
    `Cannot listen on port ${address.port} of 127.0.0.1: it is in use. Pass another --port.`,
  )
})
