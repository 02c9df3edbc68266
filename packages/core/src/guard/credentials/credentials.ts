import { InvalidOptionError } from '../../invalid-option-error.ts'

/** The address that credentials are for. An IAM token is valid for one host, port and user. */
export interface CredentialsRequest {
  readonly host: string
  readonly port: number
  /** The user of the URL or the options. */
  readonly user: string
  readonly database: string
}

/** A password that expires. */
export interface ExpiringPassword {
  readonly password: string
  /**
   * When the password expires: a `Date`, or milliseconds since 1970 as in `Date.now()`. The pool keeps the password until shortly before.
   * Without it, each connection asks again.
   */
  readonly expiresAt?: Date | number | undefined
}

/** A user and a password that are valid only together. */
export interface Credentials extends ExpiringPassword {
  /** Default: the user of the URL or the options. */
  readonly user?: string | undefined
}

/** The options that contain a function. */
export type CredentialOption = 'password' | 'credentials'

type Promised<T> = T | Promise<T>

/** A function that returns the current password, alone or with the time when it expires. */
export type PasswordFunction = (request: CredentialsRequest) => Promised<string | ExpiringPassword>

/** A function that returns the current user and password. */
export type CredentialsFunction = (request: CredentialsRequest) => Promised<Credentials>

/** An answer of a password or credentials function. */
export interface Answer {
  /** Undefined if a password function returns nothing: the server may need no password. */
  readonly password: string | undefined
  readonly user: string | undefined
  /** Milliseconds since 1970; undefined if the function names no time. */
  readonly expiresAt: number | undefined
}

/** Milliseconds of 1973: a smaller number is a time in seconds. */
const MIN_EXPIRY = 100_000_000_000

/** @throws {InvalidOptionError} if `credentials` is no function, or is set besides `password`. */
export function validateCredentials(credentials: unknown, password: unknown): void {
  if (credentials === undefined) return
  if (typeof credentials !== 'function') {
    throw new InvalidOptionError('credentials', credentials, 'a function that returns { user, password, expiresAt }')
  }
  if (password === undefined || password === null) return
  throw new InvalidOptionError('password', password, 'no value if credentials is set, which returns the password')
}

/**
 * Reads an answer of the app's function.
 *
 * @param option the name of the function's option.
 * @throws {TypeError} if the answer is invalid; the message never shows a text.
 */
export function readAnswer(option: CredentialOption, answer: unknown): Answer {
  if (option === 'password' && typeof answer !== 'object') {
    if (answer !== undefined && typeof answer !== 'string') throw invalid(option, `a ${typeof answer}`)
    return { password: answer, user: undefined, expiresAt: undefined }
  }
  if (typeof answer !== 'object' || answer === null) throw invalid(option, answer === null ? 'null' : typeof answer)
  const { password, user, expiresAt } = answer as Record<string, unknown>
  if (typeof password !== 'string') throw invalid(option, `an object whose password is ${typeof password}`)
  if (user !== undefined && typeof user !== 'string') throw invalid(option, `an object whose user is ${typeof user}`)
  return { password, user: option === 'credentials' ? user : undefined, expiresAt: readExpiry(option, expiresAt) }
}

function readExpiry(option: CredentialOption, expiresAt: unknown): number | undefined {
  if (expiresAt === undefined || expiresAt === null) return undefined
  const millis = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
  if (typeof millis === 'number' && millis >= MIN_EXPIRY) return millis
  const found = typeof millis === 'number' ? String(millis) : `a ${typeof millis}`
  throw invalid(option, `expiresAt ${found}; it is a Date, or milliseconds since 1970`)
}

function invalid(option: CredentialOption, found: string): TypeError {
  const wanted =
    option === 'password' ? 'a string or { password, expiresAt }' : '{ user, password, expiresAt }, user is optional'
  return new TypeError(`The function in the option ${option} must return ${wanted}, but returned ${found}`)
}
