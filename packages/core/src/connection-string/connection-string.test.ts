import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConnectionString } from './connection-string.ts'
import { describeAddress } from './describe-address.ts'
import { parseConnectionString } from './parse.ts'

const text = 'postgresql://app:s3cret@db:5433/orders?sslmode=require&schema=a&schema=b'

describe('a connection string', () => {
  test('prints the original text as href', () => {
    expect(parseConnectionString(text).href).toBe(text)
  })

  test.each([
    ["postgresql://it's:p@ss'word@db", 'postgresql://it%27s:p%40ss%27word@db'],
    ['postgresql://app:***@db', 'postgresql://app:***@db'],
    ['postgresql://app@[::1]:5432,b/x', 'postgresql://app@[::1]:5432,b/x'],
    ['postgresql://[fe80::1%25eth0]', 'postgresql://[fe80::1%25eth0]'],
    ['postgresql://%2Ftmp/x', 'postgresql://%2Ftmp/x'],
    ['postgresql://db?a=b', 'postgresql://db/?a=b'],
    ['postgresql://db/a%2Fb', 'postgresql://db/a%2Fb'],
  ])('prints %s as %s', (written, printed) => {
    expect(parseConnectionString(written).href).toBe(printed)
  })

  test('hides its password in toString, JSON and inspect', () => {
    const parsed = parseConnectionString(text)
    const shown = text.replace('s3cret', '***')

    expect(`${parsed}`).toBe(shown)
    expect(JSON.stringify({ parsed })).toBe(JSON.stringify({ parsed: shown }))
    expect(inspect(parsed)).toBe(`ConnectionString <${shown}>`)
    expect(Object.keys(parsed)).not.toContain('password')
    expect(parsed.password).toBe('s3cret')
  })

  test('hides a host that may be a piece of the password', () => {
    expect(`${parseConnectionString('postgresql://app:a@s3cret/s3cret?x=y@db')}`).toBe(
      'postgresql://app:***@***/***?***=***',
    )
  })

  test.each([
    'password',
    'sslpassword',
    'api_key',
    'PASSWORD',
    'oauth_client_secret',
    'scram_client_key',
    'scram_server_key',
    'sslkey',
    'token',
    'options',
    'constructor',
  ])('hides the parameter %s', (name) => {
    const parsed = parseConnectionString(`postgresql://db/orders?${name}=s3cret&sslmode=require`)

    expect(`${parsed}`).toBe(`postgresql://db/orders?${name}=***&sslmode=require`)
    expect(parsed.parameter(name)).toBe('s3cret')
  })

  test.each(['postgres://a:s3cret@b/c', '-c app.key=s3cret', 'x'.repeat(65)])(
    'hides the suspicious value %s of a harmless parameter',
    (value) => {
      expect(`${parseConnectionString(`postgresql://db/orders?schema=${encodeURIComponent(value)}`)}`).toBe(
        'postgresql://db/orders?schema=***',
      )
    },
  )

  test('describes its address without password and other parameters', () => {
    const parsed = parseConnectionString('postgresql://app:s3cret@db/x?host=a,b&port=1,2&options=-c%20key%3Ds3cret')

    expect(describeAddress(parsed)).toBe('postgresql://app@a:1,b:2/x')
  })

  test('returns the last value of a parameter that occurs twice', () => {
    expect(parseConnectionString(text).parameter('schema')).toBe('b')
    expect(parseConnectionString(text).parameter('absent')).toBeUndefined()
  })

  test('copies itself with some parts replaced, including the password', () => {
    const original = parseConnectionString(text)
    const copy = original.with({ database: 'other', hosts: [{ host: 'pooler' }] })

    expect(copy.href).toBe('postgresql://app:s3cret@pooler/other?sslmode=require&schema=a&schema=b')
    expect(original.href).toBe(text)
    expect(original.with({ password: undefined }).href).toBe(text.replace(':s3cret', ''))
  })

  test('copies itself without some parameters', () => {
    expect(parseConnectionString(text).without('schema', 'absent').href).toBe(
      'postgresql://app:s3cret@db:5433/orders?sslmode=require',
    )
  })

  test('can be constructed without parts', () => {
    expect(new ConnectionString({}).href).toBe('postgresql://')
  })
})
