import { describe, expect, test } from 'vitest'
import { KnownSecrets } from '../../known-secrets.ts'
import { classifyConnectFailure, isPasswordFunctionError } from '../../postgres-errors/index.ts'
import { type CredentialSource, credentialSourceOf } from './credential-source.ts'
import { type CredentialsRequest, validateCredentials } from './credentials.ts'

const request: CredentialsRequest = { host: 'db', port: 5432, user: 'app', database: 'orders' }
const WRONG_PASSWORD = Object.assign(new Error('password authentication failed for user "app"'), { code: '28P01' })

/** A source whose function returns p1, p2, ... when `answer` is called, and whose time only `at` moves. */
function makeSource({ lifeMillis }: { lifeMillis?: number } = {}) {
  let now = 1_800_000_000_000
  let calls = 0
  const waiting: ((fail?: unknown) => void)[] = []
  const secrets = new KnownSecrets()
  const password = (asked: CredentialsRequest) => {
    expect(asked).toBe(request)
    const returned = `secret-${++calls}`
    const expiresAt = lifeMillis === undefined ? undefined : now + lifeMillis
    return new Promise((resolve, reject) => {
      waiting.push((failure) => (failure ? reject(failure) : resolve({ password: returned, expiresAt })))
    })
  }
  const source = credentialSourceOf({ password }, secrets, () => now) as CredentialSource
  return {
    source,
    secrets,
    get calls() {
      return calls
    },
    pass: (millis: number) => {
      now += millis
    },
    settle: async (failure?: unknown) => {
      for (let turns = 0; waiting.length === 0 && turns < 100; turns++) await new Promise(setImmediate)
      for (const settle of waiting.splice(0)) settle(failure)
      await new Promise(setImmediate)
    },
    /** Connects to a server that accepts one password. */
    login: (accepted: string, signal: AbortSignal = new AbortController().signal) =>
      source.connect(signal, async (use) => {
        const { password } = await use(request)
        if (password !== accepted) throw WRONG_PASSWORD
        return password
      }),
  }
}

describe('a password with an expiry', () => {
  test('comes from one call for all connections that open at the same time, and is kept', async () => {
    const made = makeSource({ lifeMillis: 900_000 })
    const logins = Promise.all(Array.from({ length: 20 }, () => made.login('secret-1')))
    await made.settle()
    expect(new Set(await logins)).toEqual(new Set(['secret-1']))
    made.pass(839_000)
    expect(await made.login('secret-1')).toBe('secret-1')
    expect(made.calls).toBe(1)
  })

  test('stays in use while the pool requests the next one shortly before the expiry', async () => {
    const made = makeSource({ lifeMillis: 900_000 })
    const first = made.login('secret-1')
    await made.settle()
    await first
    made.pass(841_000)
    expect(await Promise.all([made.login('secret-1'), made.login('secret-1')])).toEqual(['secret-1', 'secret-1'])
    expect(made.calls).toBe(2)
    await made.settle(new Error('throttled'))
    expect(await made.login('secret-1')).toBe('secret-1')
    await made.settle()
    expect(await made.login('secret-3')).toBe('secret-3')
  })

  test('is not used after its expiry', async () => {
    const made = makeSource({ lifeMillis: 1_000 })
    const first = made.login('secret-1')
    await made.settle()
    await first
    made.pass(1_000)
    const second = made.login('secret-2')
    await made.settle()
    expect(await second).toBe('secret-2')
  })

  test('is requested again once, immediately after the server has rejected it', async () => {
    const made = makeSource({ lifeMillis: 900_000 })
    const logins = Promise.all(Array.from({ length: 5 }, () => made.login('secret-2')))
    await made.settle()
    await made.settle()
    expect(new Set(await logins)).toEqual(new Set(['secret-2']))
    expect(made.calls).toBe(2)
  })
})

test('without an expiry, each connection that opens later requests a password', async () => {
  const made = makeSource()
  for (const expected of ['secret-1', 'secret-2']) {
    const login = made.login(expected)
    await made.settle()
    expect(await login).toBe(expected)
  }
})

describe('a function that fails', () => {
  test('is called once more at once; then the failure is transient', async () => {
    const made = makeSource()
    const failure = Object.assign(new Error('no answer from the token service'), { code: 'ECONNREFUSED' })
    const login = made.login('secret-1').catch((error: unknown) => error)
    await made.settle(failure)
    await made.settle(failure)
    expect(await login).toBe(failure)
    expect([made.calls, classifyConnectFailure(failure)]).toEqual([2, 'unavailable'])
  })

  test('by hanging is named in the error, and the next connection calls it again', async () => {
    const made = makeSource()
    const controller = new AbortController()
    const login = made.login('secret-1', controller.signal).catch((error: unknown) => error)
    await Promise.resolve()
    made.pass(5_000)
    controller.abort(Object.assign(new Error('connect timeout'), { code: 'ETIMEDOUT' }))
    const error = await login
    expect(error).toMatchObject({
      code: 'ETIMEDOUT',
      message: expect.stringContaining('the function in the option password did not return within 5000 ms'),
    })
    expect([isPasswordFunctionError(error), classifyConnectFailure(error)]).toEqual([true, 'unavailable'])
    const next = made.login('secret-2')
    await made.settle()
    expect([await next, made.calls]).toEqual(['secret-2', 2])
  })

  test.each([
    [7, 'a string or { password, expiresAt }, but returned a number'],
    [null, 'but returned null'],
    [{ password: 7 }, 'but returned an object whose password is number'],
    [{ password: 'secret-text', expiresAt: 1_800_000_000 }, 'expiresAt 1800000000; it is a Date, or milliseconds'],
    [{ password: 'secret-text', expiresAt: new Date(Number.NaN) }, 'expiresAt NaN'],
    [{ password: 'secret-text', expiresAt: '2026-11-29' }, 'expiresAt a string'],
  ])('by returning %j is named without the password', async (answer, message) => {
    const source = credentialSourceOf({ password: () => answer }, new KnownSecrets()) as CredentialSource
    const error = await source.get(request).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
    expect((error as Error).message).not.toContain('secret-text')
    expect(isPasswordFunctionError(error)).toBe(true)
  })
})

test('users and passwords change as a pair, and every host has its own', async () => {
  const credentials = ({ host }: CredentialsRequest) => ({
    user: `user-at-${host}`,
    password: `password-1-at-${host}`,
    expiresAt: new Date(Date.now() + 60_000),
  })
  const secrets = new KnownSecrets()
  const source = credentialSourceOf({ credentials }, secrets) as CredentialSource
  for (const host of ['a', 'b', 'a']) {
    expect(await source.get({ ...request, host })).toMatchObject({
      user: `user-at-${host}`,
      password: `password-1-at-${host}`,
    })
  }
  expect(secrets.hideIn('got password-1-at-b')).toBe('got ***')
})

test('credentials and a password exclude each other', () => {
  expect(() => validateCredentials(() => {}, 'secret-text')).toThrow('Invalid option password')
  expect(() => validateCredentials({ password: 'x' }, undefined)).toThrow('Invalid option credentials: an object.')
  expect(() => validateCredentials(() => {}, undefined)).not.toThrow()
})
