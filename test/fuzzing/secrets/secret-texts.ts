import fc from 'fast-check'

/** A text that contains a secret. */
export interface SecretText {
  readonly secret: string
  readonly text: string
}

/** Random, so that no six characters occur anywhere else. With a digit, because a word may occur in any message. */
const chunk = fc
  .string({
    unit: fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789'),
    minLength: 8,
    maxLength: 14,
  })
  .map((text) => `${text.slice(0, 4)}7${text.slice(4)}`)
// biome-ignore format: a table
const separator = fc.constantFrom(
  '', '', '/', '?', '#', '@', ':', '&', '=', '%', '+', ',', ';', '[', ']', '(', ')', '{', '}', '|', '!', '$', '~', '\\', '^', ' ', "'", '"', '`', '\t',
  '%2F', '%zz', '%', '//', '://', '@h/', '?a=', '&b=', "''", '=@', ':9999', 'é', '🙂', '\u00a0',
)
const secret = fc
  .tuple(separator, chunk, separator, chunk, separator)
  .map((parts) => parts.join(''))
  .filter((text) => text === text.trim())

const address = fc.constantFrom('db.internal', '10.0.0.7:5432', '[::1]:6432', 'db1,db2:5433', 'localhost', '%2Ftmp')
const end = fc.constantFrom('', '/', '/orders', '/orders?sslmode=require', '?application_name=a+b', '/a@b')
const user = fc.constantFrom('app', 'us er', 'app@tenant', 'a%40b', 'postgres.abcdef', '')

type Form = (secret: string, user: string, address: string, end: string) => string

const encode = encodeURIComponent
/** In a sentence a URL ends at a blank or a quotation mark, unless the first `@` comes later. */
const asPasted = (secret: string) => (secret.includes('@') ? secret.replaceAll(/[\s"]/g, encode) : secret)
const isIn = (end: string) => (end.includes('?') ? '&' : '?')
const FORMS: readonly Form[] = [
  (secret, user, address, end) => `postgres://${encode(user)}:${encode(secret)}@${address}${end}`,
  (secret, user, address, end) => `postgresql://${user}:${asPasted(secret)}@${address}${end}`,
  (secret, _user, address, end) => `postgres://${address}${end}${isIn(end)}password=${encode(secret)}`,
  (secret, _user, address, end) => `postgres://app@${address}${end}${isIn(end)}sslpassword=${encode(secret)}&a=b`,
  (secret, user) => `host=db user='${user}' password='${secret.replaceAll(/['\\]/g, '\\$&')}' dbname=orders`,
  (secret) => `password=${secret.replaceAll(/[\s'"\\]/g, '\\$&')} host=db`,
]

/** Connection strings with a password. */
export const secretTexts: fc.Arbitrary<SecretText> = fc
  .tuple(secret, fc.constantFrom(...FORMS), user, address, end)
  .map(([each, form, ...parts]) => ({ secret: each, text: form(each, ...parts) }))
