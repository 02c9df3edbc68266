import type { ConnectFailure } from '../pool/index.ts'
import { CONNECT_FAILURE_RULES, PERMANENT_CODE_PREFIXES } from './connect-failure-rules.ts'
import { isPasswordFunctionError } from './password-function.ts'
import { type ErrorFacts, readError } from './read-error.ts'

export interface ClassifyOptions {
  /** The password is a function, which may return another password next time: tokens expire, secrets are rotated. */
  readonly passwordMayChange?: boolean
}

/** 28000 can mean a wrong token (PAM, as on RDS). With these texts it has another cause, which a new token does not change. */
const OTHER_CAUSE_TEXT = /pg_hba\.conf|does not exist|not permitted to log in/i
/** Poolers and services use other codes. The last text is pg's error for a password function that did not return a string. */
const WRONG_PASSWORD_TEXT =
  /authentication failed|incorrect password|invalid password|password that was provided|client password must be a /i

/**
 * Classifies an error of connecting to PostgreSQL or a pooler. An error is `permanent` only if a rule proves it. An unknown error
 * is `unavailable`, so that callers wait for the server until their timeout.
 */
export function classifyConnectFailure(error: unknown, options: ClassifyOptions = {}): ConnectFailure {
  if (isPasswordFunctionError(error)) return 'unavailable'
  if (options.passwordMayChange && isWrongPassword(error)) return 'unavailable'
  return classify(readError(error))
}

/** Whether the server rejected the password, so that another password may work. */
export function isWrongPassword(error: unknown): boolean {
  const { code, message } = readError(error)
  if (code === '28P01') return true
  return (code === '28000' || WRONG_PASSWORD_TEXT.test(message)) && !OTHER_CAUSE_TEXT.test(message)
}

function classify({ code, message }: ErrorFacts): ConnectFailure {
  const rule = CONNECT_FAILURE_RULES.find(
    ({ codes, text }) => (codes === undefined || codes.includes(code)) && (text === undefined || text.test(message)),
  )
  if (rule) return rule.failure
  return PERMANENT_CODE_PREFIXES.some((prefix) => code.startsWith(prefix)) ? 'permanent' : 'unavailable'
}

/** Whether an error means that the server or a pooler has no connection left. */
export function isFullError(facts: { readonly code: string; readonly message: string }): boolean {
  return classify({ code: facts.code, message: readError({ message: facts.message }).message }) === 'full'
}

/**
 * Node's codes for an absent server: no process listens, or the name or the network does not exist. EAI_AGAIN, a temporary
 * failure of the name lookup, does not mean that the server is absent.
 */
const SERVER_ABSENT_CODES: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'],
])

/** Whether an error means that there is no server at the address. Of several addresses, all must be without a server. */
export function isServerAbsent(error: unknown): boolean {
  if (isPasswordFunctionError(error)) return false
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isServerAbsent)
  return SERVER_ABSENT_CODES.has(readError(error).code)
}
