import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const NAME = 'poolguard_session'
const LIFETIME_SECONDS = 3_600
/** A session that is used is renewed when less than this is left. */
const RENEWAL_SECONDS = 1_800
const KEY_BYTES = 32
const deriveKey = promisify<string, string, number, Buffer>(scrypt)

/** A browser that is logged in. */
export interface Session {
  /** Random, and no secret: it names the session in logs. */
  readonly id: string
  /** Whether the session should be renewed. */
  readonly isDue: boolean
}

export interface CookieOptions {
  /** The browser sends the cookie to addresses below it only. Default: the folder of the page's address. */
  readonly path?: string
}

/**
 * Sessions of browsers: a cookie with its time of expiry, signed with a key that is derived from the admin token. The token itself is
 * not in it, and no state is kept, so that every instance behind a load balancer accepts it. With a new token all sessions end.
 */
export class SessionCookies {
  readonly #tokens: readonly string[]
  readonly #cookie: CookieOptions
  readonly #now: () => number
  #keys: Promise<readonly Buffer[]> | undefined

  constructor(tokens: readonly string[], cookie: CookieOptions = {}, now: () => number = Date.now) {
    this.#tokens = tokens
    this.#cookie = cookie
    this.#now = now
  }

  /**
   * The `Set-Cookie` header that begins or renews a session.
   *
   * @param id that of the session to renew.
   */
  async issue(isHttps: boolean, id: string = randomBytes(9).toString('base64url')): Promise<string> {
    const [key] = await this.#readKeys()
    const expires = Math.floor(this.#now() / 1_000) + LIFETIME_SECONDS
    const claim = `${expires}.${id}`
    return this.#header(key ? `${claim}.${sign(claim, key)}` : '', LIFETIME_SECONDS, isHttps)
  }

  /** The `Set-Cookie` header that ends the session of this browser. */
  end(isHttps: boolean): string {
    return this.#header('', 0, isHttps)
  }

  /**
   * Checks the `Cookie` header of a request, in constant time.
   *
   * @returns undefined without a valid session.
   */
  async check(cookies: string | null): Promise<Session | undefined> {
    const [claim, signature] = readClaim(cookies)
    const keys = await this.#readKeys()
    const isSigned = keys.filter((key) => equal(sign(claim, key), signature)).length > 0
    const secondsLeft = Number.parseInt(claim, 10) - this.#now() / 1_000
    if (!isSigned || !(secondsLeft > 0)) return undefined
    return { id: claim.slice(claim.indexOf('.') + 1), isDue: secondsLeft < RENEWAL_SECONDS }
  }

  /** `Strict`: the browser sends it with requests of the page itself only. */
  #header(value: string, maxAge: number, isHttps: boolean): string {
    const { path } = this.#cookie
    const attributes = [
      `Max-Age=${maxAge}`,
      ...(path === undefined ? [] : [`Path=${path}`]),
      'HttpOnly',
      'SameSite=Strict',
    ]
    return [`${NAME}=${value}`, ...attributes, ...(isHttps ? ['Secure'] : [])].join('; ')
  }

  /** Derived slowly and once: a stolen cookie must not make it easy to guess a short token. */
  #readKeys(): Promise<readonly Buffer[]> {
    this.#keys ??= Promise.all(this.#tokens.map((token) => deriveKey(token, 'poolguard live page session', KEY_BYTES)))
    return this.#keys
  }
}

function readClaim(cookies: string | null): readonly [claim: string, signature: string] {
  const cookie = (cookies ?? '').split(';').find((each) => each.trim().startsWith(`${NAME}=`))
  const value = cookie?.slice(cookie.indexOf('=') + 1).trim() ?? ''
  const end = value.lastIndexOf('.')
  return [value.slice(0, Math.max(0, end)), value.slice(end + 1)]
}

function sign(claim: string, key: Buffer): string {
  return createHmac('sha256', key).update(claim).digest('base64url')
}

function equal(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}
