/**
 * Parameters whose values are secrets (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS),
 * and Prisma's key for Accelerate.
 */
export const SECRET_PARAMETERS: readonly string[] = [
  'password',
  'sslpassword',
  'oauth_client_secret',
  'scram_client_key',
  'scram_server_key',
  'api_key',
]

const HIDDEN = '***'

/** Up to the last `@`: people paste passwords as they are. A blank or a quotation mark ends a URL, as in JSON. */
const URL_PASSWORD = /(\b(?:postgres|postgresql|socket|prisma(?:\+postgres)?):\/\/[^\s:/@?]*):[^\s"]*@/gi

const QUOTED = String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"`
/** `name=value`, and `name: 'value'` as objects are shown; under a longer name too, as in PGPASSWORD. */
const SECRET_PAIR = new RegExp(
  String.raw`(\b\w*(?:${SECRET_PARAMETERS.join('|')})["']?)(?:(\s*=\s*)(?:${QUOTED}|[^\s&'"]+)|(\s*:\s*)(?:${QUOTED}))`,
  'gi',
)

/**
 * Hides the passwords in any text: in PostgreSQL URLs, whole or broken, in `password=...` pairs as libpq and query strings
 * write them, and in objects as `inspect` and JSON show them. Never throws, so that it can stand in front of every log line.
 *
 * @example
 * redact('connect to postgres://app:s3cret@db/orders failed') // 'connect to postgres://app:***@db/orders failed'
 */
export function redact(text: string): string {
  return text.replaceAll(URL_PASSWORD, `$1:${HIDDEN}@`).replaceAll(SECRET_PAIR, `$1$2$3${HIDDEN}`)
}
