import { expect, test } from 'vitest'
import { SessionCookies } from './session-cookie.ts'

const HOUR = 3_600_000
let now = 1_800_000_000_000
const clock = () => now

/** The `Cookie` header of a browser that has got this `Set-Cookie`. */
const sentBack = (setCookie: string) => `theme=dark; ${setCookie.split(';')[0]}; other=1`

test('given a session, then it is valid for an hour, and has to be renewed after half of it', async () => {
  const sessions = new SessionCookies(['secret'], {}, clock)
  const cookie = sentBack(await sessions.issue(false))

  const session = await sessions.check(cookie)
  expect(session).toEqual({ id: expect.stringMatching(/^[\w-]{12}$/), isDue: false })
  now += HOUR / 2 + 1_000
  expect(await sessions.check(cookie)).toEqual({ ...session, isDue: true })
  expect((await sessions.check(sentBack(await sessions.issue(false, session?.id))))?.id).toBe(session?.id)
  now += HOUR / 2
  expect(await sessions.check(cookie)).toBeUndefined()
})

test('given a session of one instance, then the others accept it; with another token it has ended', async () => {
  const cookie = sentBack(await new SessionCookies(['old'], {}, clock).issue(false))

  expect(await new SessionCookies(['old'], {}, clock).check(cookie)).toBeDefined()
  expect(await new SessionCookies(['new', 'old'], {}, clock).check(cookie)).toBeDefined()
  expect(await new SessionCookies(['new'], {}, clock).check(cookie)).toBeUndefined()
})

test('given a changed cookie, then it is not valid', async () => {
  const sessions = new SessionCookies(['secret'], {}, clock)
  const cookie = (await sessions.issue(false)).split(';')[0] ?? ''
  const [name = '', value = ''] = cookie.split('=')
  const [expires = '', nonce = '', signature = ''] = value.split('.')
  const changed = [
    `${Number(expires) + 1}.${nonce}.${signature}`,
    `${expires}.${nonce}x.${signature}`,
    `${expires}.${nonce}.${signature.slice(1)}`,
    `${expires}.${nonce}.`,
    `${expires}.${nonce}`,
    '',
    '..',
    'secret',
  ]
  for (const each of changed) expect(await sessions.check(`${name}=${each}`), each).toBeUndefined()
  expect(await sessions.check(null)).toBeUndefined()
})

test('given a cookie, then scripts cannot read it, other sites cannot send it, and it does not contain the token', async () => {
  const sessions = new SessionCookies(['secret'], {}, clock)

  expect(await sessions.issue(false)).toMatch(/^poolguard_session=[\w.-]+; Max-Age=3600; HttpOnly; SameSite=Strict$/)
  expect(await sessions.issue(true)).toMatch(/; Secure$/)
  expect(await sessions.issue(true)).not.toContain('secret')
  const below = new SessionCookies(['secret'], { path: '/here' }, clock)
  expect(await below.issue(false)).toMatch(/; Max-Age=3600; Path=\/here; HttpOnly; SameSite=Strict$/)
  expect(sessions.end(true)).toBe('poolguard_session=; Max-Age=0; HttpOnly; SameSite=Strict; Secure')
})
