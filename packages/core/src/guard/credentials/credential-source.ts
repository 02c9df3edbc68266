import type { KnownSecrets } from '../../known-secrets.ts'
import { isPasswordFunctionError, isWrongPassword, markPasswordFunctionError } from '../../postgres-errors/index.ts'
import { untilAborted } from '../driver-kit/abort-watch.ts'
import {
  type Answer,
  type CredentialOption,
  type CredentialsFunction,
  type CredentialsRequest,
  type PasswordFunction,
  readAnswer,
} from './credentials.ts'

/** A cached answer is replaced this long before it expires, or when a tenth of its time is left, whichever is later. */
const REFRESH_MILLIS = 60_000
const REFRESH_SHARE = 0.1

export interface CredentialSourceOptions {
  /** The option that contains the function, for messages. */
  readonly option: CredentialOption
  /** The app's function. */
  readonly ask: (request: CredentialsRequest) => unknown
  readonly mayChange: boolean
  /** Collects the passwords, so that no message shows them. */
  readonly secrets: KnownSecrets
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface CachedAnswer {
  readonly answer: Answer
  readonly expiresAt: number
  readonly refreshAt: number
}

/** Returns the credentials of one attempt to connect. */
export type UseCredentials = (request: CredentialsRequest) => Promise<Answer>

/**
 * The credentials that the app's function, or the password file, returns. Connections that open at the same time share one call. An answer with an expiry is
 * kept until shortly before it expires; then it is still used while the function is called again.
 */
export class CredentialSource {
  readonly #options: CredentialSourceOptions
  readonly #now: () => number
  /** By address: a token may be valid for one host only. */
  readonly #cached = new Map<string, CachedAnswer>()
  readonly #calls = new Map<string, Promise<Answer>>()

  constructor(options: CredentialSourceOptions) {
    this.#options = options
    this.#now = options.now
  }

  /** True if another call may return another password soon: a rejected password is then no permanent failure. */
  get mayChange(): boolean {
    return this.#options.mayChange
  }

  /** @throws the function's error, or a TypeError if its answer is invalid. `isPasswordFunctionError` recognizes both. */
  get(request: CredentialsRequest): Promise<Answer> {
    const key = keyOf(request)
    const cached = this.#cached.get(key)
    const now = this.#now()
    if (!cached || now >= cached.expiresAt) return this.#ask(key, request)
    // A failure shows when the answer has expired.
    if (now >= cached.refreshAt) this.#ask(key, request).catch(() => {})
    return Promise.resolve(cached.answer)
  }

  /**
   * Connects with credentials. If the function throws, or the server rejects its password, such as a token that has just expired, calls
   * the function once more immediately. After that the pool backs off between attempts.
   *
   * @param attempt connects once; it calls `use` when it needs the credentials.
   */
  async connect<T>(signal: AbortSignal, attempt: (use: UseCredentials) => Promise<T>): Promise<T> {
    try {
      return await this.#try(signal, attempt)
    } catch (error) {
      if (!this.mayChange || signal.aborted || !(isPasswordFunctionError(error) || isWrongPassword(error))) throw error
      return await this.#try(signal, attempt)
    }
  }

  async #try<T>(signal: AbortSignal, attempt: (use: UseCredentials) => Promise<T>): Promise<T> {
    const last: { use?: { readonly request: CredentialsRequest; readonly since: number; answer?: Answer } } = {}
    try {
      return await attempt(async (request) => {
        const use: typeof last.use = { request, since: this.#now() }
        last.use = use
        const answer = await untilAborted(this.get(request), signal)
        Object.assign(use, { answer })
        return answer
      })
    } catch (error) {
      if (!last.use) throw error
      const { request, since, answer } = last.use
      if (signal.aborted && !answer) throw this.#abandon(request, since, signal.reason)
      if (answer && isWrongPassword(error)) this.#discard(request, answer)
      throw error
    }
  }

  /** The next connection does not join a call that may never return. */
  #abandon(request: CredentialsRequest, since: number, reason: unknown): unknown {
    this.#calls.delete(keyOf(request))
    if ((reason as { code?: unknown }).code !== 'ETIMEDOUT') return reason
    const { option } = this.#options
    const millis = Math.round(this.#now() - since)
    const message =
      `connect timeout: the function in the option ${option} did not return within ${millis} ms. ` +
      'Give its requests a timeout, or raise pool.connectTimeoutMillis'
    return markPasswordFunctionError(Object.assign(new Error(message), { code: 'ETIMEDOUT' }))
  }

  /** Another connection may have replaced the answer already. */
  #discard(request: CredentialsRequest, answer: Answer): void {
    const key = keyOf(request)
    if (this.#cached.get(key)?.answer === answer) this.#cached.delete(key)
  }

  #ask(key: string, request: CredentialsRequest): Promise<Answer> {
    const running = this.#calls.get(key)
    if (running) return running
    const call = this.#call(key, request).finally(() => {
      if (this.#calls.get(key) === call) this.#calls.delete(key)
    })
    this.#calls.set(key, call)
    return call
  }

  async #call(key: string, request: CredentialsRequest): Promise<Answer> {
    const { option, ask, secrets } = this.#options
    try {
      const answer = readAnswer(option, await ask(request))
      secrets.add(answer.password)
      this.#keep(key, answer)
      return answer
    } catch (error) {
      throw markPasswordFunctionError(error)
    }
  }

  /** Keeps the answer that lasts longest: a slow call may return after a later one. */
  #keep(key: string, answer: Answer): void {
    const { expiresAt } = answer
    const now = this.#now()
    if (expiresAt === undefined || expiresAt <= now) return
    const former = this.#cached.get(key)
    if (former && former.expiresAt > expiresAt) return
    const refreshAt = expiresAt - Math.min(REFRESH_MILLIS, (expiresAt - now) * REFRESH_SHARE)
    this.#cached.set(key, { answer, expiresAt, refreshAt })
  }
}

function keyOf({ host, port }: CredentialsRequest): string {
  return `${host}:${port}`
}

/** Where the credentials of a pool may come from. */
interface CredentialOptions {
  readonly credentials?: CredentialsFunction | undefined
  readonly password?: unknown
  /** The parameter `passfile` of the URL. Default: `PGPASSFILE`, else `~/.pgpass`. */
  readonly passfile?: string | undefined
}

/**
 * The source of a pool's credentials: a function of the app, or the password file if there is no password; undefined if the password is a
 * text or comes from the environment.
 */
export function credentialSourceOf(
  { credentials, password, passfile }: CredentialOptions,
  secrets: KnownSecrets,
  now: () => number = () => Date.now(),
): CredentialSource | undefined {
  const known = { mayChange: true, secrets, now }
  if (credentials) return new CredentialSource({ ...known, option: 'credentials', ask: credentials })
  if (typeof password === 'function') {
    return new CredentialSource({ ...known, option: 'password', ask: password as PasswordFunction })
  }
  if (password || process.env.PGPASSWORD) return undefined
  const ask = async (request: CredentialsRequest) => {
    const { readPasswordFile } = await import('./read-password-file.ts')
    return readPasswordFile(passfile, request)
  }
  return new CredentialSource({ ...known, mayChange: false, option: 'password', ask })
}
