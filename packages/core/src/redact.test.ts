import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from './invalid-option-error.ts'
import { redact } from './redact.ts'

describe('redact', () => {
  test.each([
    ['connect to postgres://app:s3cret@db/orders failed', 'connect to postgres://app:***@db/orders failed'],
    ['POSTGRESQL://app:s3cret@db', 'POSTGRESQL://app:***@db'],
    ['postgresql://app:s3:c@r/e?t#@db:5432/x', 'postgresql://app:***@db:5432/x'],
    ["postgresql://app:it's3cret@db", 'postgresql://app:***@db'],
    ['postgresql://app:s3`cret@db', 'postgresql://app:***@db'],
    ['postgresql://:s3cret@db', 'postgresql://:***@db'],
    ['postgresql://us er:s3c ret@db/orders', 'postgresql://us er:***@db/orders'],
    ['postgresql://app@tenant:s3c ret@db', 'postgresql://app@tenant:***@db'],
    ['postgresql://app:"s3cret@db', 'postgresql://app:***@db'],
    ['postgresql://db failed (a:b)', 'postgresql://db failed (a:b)'],
    ['us er:s3cret@%2Ftmp', 'us er:***@%2Ftmp'],
    ["postgresql://db/x?password='s3'cret&a='b'", "postgresql://db/x?password=***&a='b'"],
    ['password=s3&cret host=db', 'password=*** host=db'],
    ['postgresql://app@db:5432 is down, ask me@here', 'postgresql://app@db:5432 is down, ask me@here'],
    ['postgresql://db is down: ECONNREFUSED', 'postgresql://db is down: ECONNREFUSED'],
    ['pg://app:s3cret@db pgsql://a:s3cret@db tcp://b:s3cret@db', 'pg://app:***@db pgsql://a:***@db tcp://b:***@db'],
    ['socket://app:s3cret@/tmp?db=x', 'socket://app:***@/tmp?db=x'],
    ['prisma+postgres://x:s3cret@db', 'prisma+postgres://x:***@db'],
    ['{"url":"postgres://app:s3cret@db/x","to":"me@here"}', '{"url":"postgres://app:***@db/x","to":"me@here"}'],
    [
      "{ a: 'postgres://a:s3cret@db', b: 'postgres://b:s3cret@db' }",
      "{ a: 'postgres://a:***@db', b: 'postgres://b:***@db' }",
    ],
    ['postgresql://app@db/x?password=s3cret&sslmode=require', 'postgresql://app@db/x?password=***&sslmode=require'],
    ['host=db password=s3cret user=app', 'host=db password=*** user=app'],
    ["host=db password = 's3 cr\\'et' user=app", 'host=db password = *** user=app'],
    ['?api_key=s3cret&x=1', '?api_key=***&x=1'],
    ['PGPASSWORD=s3cret DB_PASSWORD=s3cret node .', 'PGPASSWORD=*** DB_PASSWORD=*** node .'],
    ["{ user: 'app', password: 's3cret' }", "{ user: 'app', password: *** }"],
    ['{"user":"app","password":"s3\\"cret"}', '{"user":"app","password":***}'],
    ['password authentication failed for user "app"', 'password authentication failed for user "app"'],
    ['wrong password: try again', 'wrong password: try again'],
    ['postgresql://db:5432/orders', 'postgresql://db:5432/orders'],
    ['mail me@here about postgres://db:5432', 'mail me@here about postgres://db:5432'],
    ['', ''],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
  })

  test.each([
    'at pay (file:///C:/orders/src/checkout.ts:88:12)',
    'at Client.query (file:///C:/orders/node_modules/.pnpm/pg@8.16.3/node_modules/pg/lib/client.js:88:12)',
    'at pay (C:\\orders\\src\\checkout.ts:88:12)',
    'at Client.query (C:\\orders\\node_modules\\.pnpm\\pg@8.16.3\\node_modules\\pg\\lib\\client.js:88:12)',
    "ENOENT: no such file or directory, open 'D:\\Users\\ada@corp\\orders\\.env'",
    "open 'D:/Users/ada@corp/orders/.env'",
  ])('leaves a path on Windows as it is: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  test.each([
    ['file://app:s3cret@db/x', 'file://app:***@db/x'],
    ['c:s3cret@db', 'c:***@db'],
    ['c:\\s3cret@db', 'c:***@db'],
    ['postgres://c:/s3cret@db', 'postgres://c:***@db'],
  ])('a user that looks like a drive still has a password: %s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
  })

  test('hides any password without blanks, raw or encoded, at any position of the URL', () => {
    // A quotation mark ends a URL, as it does in JSON.
    const password = fc
      .string({ unit: 'grapheme-ascii', minLength: 10, maxLength: 30 })
      .map((text) => text.replaceAll(/[\s"]/g, 'x'))
    fc.assert(
      fc.property(password, fc.boolean(), fc.constantFrom('', ' ', '"', "'", '('), (password, raw, before) => {
        const written = raw ? password : encodeURIComponent(password)
        const redacted = redact(`connecting to ${before}postgresql://app:${written}@db.internal:5432/orders failed`)
        expect(redacted).not.toContain(written)
        expect(redacted).toContain('connecting to')
        expect(redacted).toContain('failed')
      }),
      { seed: 4, numRuns: 1_000 },
    )
  })

  test('accepts any text, and redacting twice gives the same as once', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...`password=:@'" postgres://a`) }),
    )
    fc.assert(
      fc.property(text, (text) => {
        const once = redact(text)
        expect(redact(once)).toBe(once)
      }),
      { seed: 5, numRuns: 2_000 },
    )
  })
})

describe('InvalidOptionError', () => {
  test('names the option, its value and the accepted values', () => {
    const error = new InvalidOptionError('pool.max', -1, 'a whole number of at least 1')

    expect(error.message).toBe('Invalid option pool.max: -1. It takes a whole number of at least 1.')
    expect(error).toMatchObject({ option: 'pool.max', code: 'POOLGUARD_INVALID_OPTION', name: 'InvalidOptionError' })
  })

  test.each<[option: string, value: unknown]>([
    ['url', 'postgres://app:s3cret@db/orders'],
    ['pool.password', 's3cret'],
    ['pool.max', { password: 's3cret' }],
    ['pool.connectionString', 'postgres://app:s3cret@db/orders'],
  ])('never shows a password: %s', (option, value) => {
    expect(inspect(new InvalidOptionError(option, value, 'something else'))).not.toContain('s3cret')
  })
})
