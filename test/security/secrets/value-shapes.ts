const SECRET = 'Zx7qPw3nKv9tRb5mJd2hYc8g'
const NUMBER = 7_329_718_264_553_187

class ShowsItself {
  readonly key = SECRET

  toString(): string {
    return SECRET
  }

  toJSON(): string {
    return SECRET
  }

  get [Symbol.toStringTag](): string {
    return SECRET
  }
}

/** A secret in a value that is no text. */
export interface ValueShape {
  readonly name: string
  readonly secret: string
  readonly value: unknown
}

const VALUES: readonly (readonly [name: string, value: unknown, secret?: string])[] = [
  ['object', { token: SECRET }],
  ['object with a secret name', { [SECRET]: 1 }],
  ['nested object', { a: { b: { token: SECRET } } }],
  ['array', [SECRET]],
  ['nested array', [[[SECRET]]]],
  ['Set', new Set([SECRET])],
  ['Map', new Map([[SECRET, SECRET]])],
  ['Buffer', Buffer.from(SECRET)],
  ['Uint8Array', new TextEncoder().encode(SECRET)],
  ['number', NUMBER, String(NUMBER)],
  ['bigint', BigInt(NUMBER), String(NUMBER)],
  ['symbol', Symbol(SECRET)],
  ['registered symbol', Symbol.for(SECRET)],
  ['function', () => SECRET],
  ['function with a secret name', { [SECRET]: () => {} }[SECRET]],
  ['class that shows itself', new ShowsItself()],
  ['class with a secret name', { [SECRET]: class {} }[SECRET]],
  ['instance of a class with a secret name', new ({ [SECRET]: class {} }[SECRET] as new () => object)()],
  ['URL', new URL(`postgres://app:${SECRET}@127.0.0.1:1/db`)],
  ['String object', new String(SECRET)],
  ['Error', new Error(SECRET)],
  ['Promise', Promise.resolve(SECRET)],
  ['Headers', new Headers({ authorization: SECRET })],
  ['URLSearchParams', new URLSearchParams({ password: SECRET })],
  ['RegExp', new RegExp(SECRET)],
  ['generator', [SECRET].values()],
]

export const VALUE_SHAPES: readonly ValueShape[] = VALUES.map(([name, value, secret = SECRET]) => ({
  name,
  value,
  secret,
}))
