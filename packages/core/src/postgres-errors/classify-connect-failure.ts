import type { ConnectFailure } from '../pool/index.ts'
import { CONNECT_FAILURE_RULES, PERMANENT_CODE_PREFIXES } from './connect-failure-rules.ts'
import { isPasswordFunctionError } from './password-function.ts'
import { type ErrorFacts, readError } from './read-error.ts'

export interface ClassifyOptions {
  /** The password is a function, which may have a better answer next time: tokens expire, secrets are rotated. */
  readonly passwordMayChange?: boolean
}

/** 28000 is said of a wrong token (PAM, as on RDS), and of what another token does not change. */
const NOT_THE_PASSWORD = /pg_hba\.conf|does not exist|not permitted to log in/i
/** Poolers and services use other codes. The last one is pg's, of a function that gave no text. */
const WRONG_PASSWORD_TEXT =
  /authentication failed|incorrect password|invalid password|password that was provided|client password must be a /i

/**
 * Sorts an error of connecting to PostgreSQL or a pooler. An error is `permanent` only where a rule proves it; an
 * unknown one is `unavailable`, so that callers wait for the server as long as they are willing to.
 */
export function classifyConnectFailure(error: unknown, options: ClassifyOptions = {}): ConnectFailure {
  if (isPasswordFunctionError(error)) return 'unavailable'
  if (options.passwordMayChange && isWrongPassword(error)) return 'unavailable'
  return classify(readError(error))
}

/** Whether another password may be let in. */
export function isWrongPassword(error: unknown): boolean {
  const { code, message } = readError(error)
  if (code === '28P01') return true
  return (code === '28000' || WRONG_PASSWORD_TEXT.test(message)) && !NOT_THE_PASSWORD.test(message)
}

function classify({ code, message }: ErrorFacts): ConnectFailure {
  const rule = CONNECT_FAILURE_RULES.find(
    ({ codes, text }) => (codes === undefined || codes.includes(code)) && (text === undefined || text.test(message)),
  )
  if (rule) return rule.failure
  return PERMANENT_CODE_PREFIXES.some((prefix) => code.startsWith(prefix)) ? 'permanent' : 'unavailable'
}

/** Whether an error says that there is no connection left, whoever says it. */
export function isFullError(facts: { readonly code: string; readonly message: string }): boolean {
  return classify({ code: facts.code, message: readError({ message: facts.message }).message }) === 'full'
}

/**
 * The codes of Node for a server that is not there: nobody listens, or the name or the network does not exist. A name that
 * cannot be looked up at the moment (EAI_AGAIN) says nothing of the server.
 */
const NOBODY_THERE_CODES: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'],
])

/** Whether an error says that no server is there. Of several addresses all have to say so. */
export function isNobodyThere(error: unknown): boolean {
  if (isPasswordFunctionError(error)) return false
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isNobodyThere)
  return NOBODY_THERE_CODES.has(readError(error).code)
}
