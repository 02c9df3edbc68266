const HIDDEN = '***'

/**
 * Hides the passwords in any text: in PostgreSQL URLs, whole or broken, and in `password=...` pairs as libpq and query
 * strings write them. Never throws, so that it can stand in front of every log line.
 *
 * @example
 * redact('connect to postgres://app:s3cret@db/orders failed') // 'connect to postgres://app:***@db/orders failed'
 */
export function redact(text: string): string {
  return text
    .replaceAll(/(\b(?:postgres|postgresql|prisma(?:\+postgres)?):\/\/[^\s:/@?]*):[^\s"'`]*@/gi, `$1:${HIDDEN}@`)
    .replaceAll(/\b(password|sslpassword|api_key)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'"]+)/gi, `$1$2${HIDDEN}`)
}
