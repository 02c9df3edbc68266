/**
 * Parameters whose values are secrets (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS),
 * and Prisma's key for Accelerate.
 */
export const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  'password',
  'sslpassword',
  'oauth_client_secret',
  'scram_client_key',
  'scram_server_key',
  'api_key',
])

/** The replacement for a secret. */
export const HIDDEN = '***'

/** The longest password that is found: tokens of cloud providers have about 3,000 characters. */
const MAX_SECRET = 8_000

/** The beginning of any URL, including common misspellings: `postgres://`, `mysql://`, `postgres:/`. */
const URL_START = /\b[a-z][a-z0-9+.-]{1,20}:\/{1,3}/gi

const DATABASE_SCHEME = /^(?:postgres|postgresql|pgsql|pg:|tcp:|mysql|socket|prisma)/i

/** The same, percent-encoded for a query string. */
const ENCODED_URL_START = /%3A(?:%2F|\/){2}/gi
const ENCODED_PAIR = /((?:password|api_key|secret)%3D)(?:(?!%26)[^\s&"']){1,8000}/gi

/** The path of a file on Windows in a URL, as in stacks of ES modules: `file:///C:/orders/main.js`. */
const FILE_OF_WINDOWS = /^file:\/+$/i
const DRIVE = /^[a-z]:[\\/]/i

/**
 * `user:password@host` without a scheme, but not the digest of a container image, the version of a package, or a path on Windows
 * (`C:\orders\node_modules\.pnpm\pg@8.16.3`).
 */
const BARE_USER =
  /(?<![\w.+/@-])(?!(?:npm|workspace|file|link|catalog):)(?![A-Za-z]:\\[^\s@:/\\"'`,{}()]{1,255}\\)([\w.+-]{1,64}):(?!\*\*\*@)[^\s@:/"'`,{}()]{1,500}@(?!sha256:)(?=[\w.[@%-])/g

const SECRET_NAME = new RegExp(String.raw`(?:${[...SECRET_PARAMETERS].join('|')})["']?\s{0,8}([=:])\s{0,8}`, 'gi')

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g

/**
 * Hides the passwords in any text: in valid, broken or percent-encoded URLs, in `user:password@host`, in the `password=...` pairs
 * of libpq and query strings, in the output of `inspect` and JSON, and private keys. If the end of a password is
 * unclear, it hides too much rather than too little. Never throws, and takes linear time, so you can use it for every log line.
 *
 * @example
 * redact('connect to postgres://app:s3cret@db/orders failed') // 'connect to postgres://app:***@db/orders failed'
 */
export function redact(text: string): string {
  const withoutKeys = replaceFrom(text, PRIVATE_KEY, endOfPrivateKey)
  const withoutUrls = replaceFrom(withoutKeys, URL_START, passwordInUrl)
  const withoutPairs = replaceFrom(withoutUrls, SECRET_NAME, valueOfPair)
  return replaceFrom(withoutPairs, ENCODED_URL_START, passwordInEncodedUrl)
    .replaceAll(ENCODED_PAIR, `$1${HIDDEN}`)
    .replaceAll(BARE_USER, `$1:${HIDDEN}@`)
}

/** A part of a text to hide. */
interface Span {
  readonly start: number
  readonly end: number
}

/** Hides the span that `find` returns for each match. */
function replaceFrom(
  text: string,
  pattern: RegExp,
  find: (text: string, after: number, match: RegExpExecArray) => Span | undefined,
): string {
  pattern.lastIndex = 0
  let result = ''
  let at = 0
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const after = match.index + match[0].length
    const span = find(text, after, match)
    if (!span) continue
    result += text.slice(at, span.start) + HIDDEN
    at = span.end
    pattern.lastIndex = Math.max(after, span.end)
  }
  return result + text.slice(at)
}

function endOfPrivateKey(text: string, after: number): Span {
  const end = text.indexOf('-----END', after)
  return { start: after, end: end < 0 ? text.length : end }
}

/** A quotation mark or a blank ends a URL, as in JSON and in a sentence, unless it is part of the password. */
function passwordInUrl(text: string, after: number, [scheme]: RegExpExecArray): Span | undefined {
  const reach = text.slice(after, after + MAX_SECRET)
  if (FILE_OF_WINDOWS.test(scheme) && DRIVE.test(reach)) return undefined
  const word = reach.slice(0, lengthUntil(reach, /[\s"]/))
  // Up to the last `@`: pasted passwords may contain an unencoded `@`, and so do the user names of Azure.
  const at = word.lastIndexOf('@')
  const first = word.indexOf(':')
  if (at >= 0 && first >= 0 && first < at) return { start: after + first + 1, end: after + at }
  const line = reach.slice(0, lengthUntil(reach, /\n/))
  const colon = first >= 0 ? first : endOfBlankUser(scheme, line)
  const last = line.lastIndexOf('@')
  if (colon < 0 || (at >= 0 && last <= colon) || isNoPassword(scheme, line, colon)) return undefined
  const end = last > colon ? last : colon + lengthUntil(line.slice(colon), /[\s"]/)
  return { start: after + colon + 1, end: after + end }
}

/** The colon after a user name with blanks, or -1. In a sentence without an `@`, the words after a URL are no user name. */
function endOfBlankUser(scheme: string, line: string): number {
  if (!line.includes('@')) return -1
  const [user] = (DATABASE_SCHEME.test(scheme) && /^[^\s:@/?"]+[ \t][^:@/?"]{0,60}(?=:)/.exec(line)) || []
  return user?.length ?? -1
}

/** A port, nothing, an IPv6 address, or a line number in a file path. */
function isNoPassword(scheme: string, line: string, colon: number): boolean {
  if (line.startsWith('[') || (!DATABASE_SCHEME.test(scheme) && line.slice(0, colon).includes('/'))) return true
  return /^:(?:\d{1,5}(?=[\s"/?#,)\]}'`.;!]|$)|\s|"?$)/.test(line.slice(colon, colon + 8))
}

function passwordInEncodedUrl(text: string, after: number): Span | undefined {
  const reach = text.slice(after, after + MAX_SECRET)
  const word = reach.slice(0, lengthUntil(reach, /[\s&"']/)).toUpperCase()
  const at = word.lastIndexOf('%40')
  const colon = word.indexOf('%3A')
  return colon >= 0 && colon < at ? { start: after + colon + 3, end: after + at } : undefined
}

/**
 * A parameter of a URL, which may contain apostrophes; a quoted value, which ends with the line if its quote is not closed; or an
 * unquoted value after `=`.
 */
function valueOfPair(text: string, after: number, { 1: sign, index }: RegExpExecArray): Span | undefined {
  const reach = text.slice(after, after + MAX_SECRET)
  if (sign === '=' && /[?&][\w.-]*$/.test(text.slice(Math.max(0, index - 60), index))) {
    const length = lengthUntil(reach, /[\s&"]/)
    return length === 0 ? undefined : { start: after, end: after + length }
  }
  const quote = reach[0]
  if (quote === "'" || quote === '"') {
    const closed = lengthOfQuoted(reach, quote)
    return { start: after, end: after + (closed ?? lengthUntil(reach, /\n/)) }
  }
  const length = sign === '=' ? lengthOfBare(reach) : 0
  return length === 0 ? undefined : { start: after, end: after + length }
}

function lengthOfQuoted(text: string, quote: string): number | undefined {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote) return at + 1
  }
  return undefined
}

/** A backslash escapes the next character. */
function lengthOfBare(text: string): number {
  let at = 0
  for (; at < text.length && !/[\s'"]/.test(text[at] ?? ''); at++) if (text[at] === '\\') at++
  return Math.min(at, text.length)
}

function lengthUntil(text: string, end: RegExp): number {
  const at = text.search(end)
  return at < 0 ? text.length : at
}
