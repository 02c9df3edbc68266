import { describe, expect, test } from 'vitest'
import { StartupParameters } from './startup-parameters.ts'

const SENT = {
  ...{ user: 'options', database: 'timezone', application_name: 'shop', statement_timeout: '5000', TimeZone: 'UTC' },
  options: '-c search_path=app -c geqo=off endpoint=ep-x',
}

function given(): { parameters: StartupParameters; warnings: string[] } {
  const warnings: string[] = []
  return { parameters: new StartupParameters((message) => warnings.push(message)), warnings }
}

function rejection([code, message]: readonly [string | undefined, string]): Error {
  return Object.assign(new Error(message), { severity: 'FATAL', ...(code !== undefined && { code }) })
}

describe('a rejection that names a parameter', () => {
  test.each([
    ['statement_timeout', ['08P01', 'unsupported startup parameter: statement_timeout']],
    [
      'statement_timeout',
      ['0A000', "Feature not supported: RDS Proxy currently doesn't support the option statement_timeout."],
    ],
    ['statement_timeout', ['42704', 'unrecognized configuration parameter "statement_timeout"']],
    ['statement_timeout', ['22023', 'invalid value for parameter "statement_timeout": "5x"']],
    ['statement_timeout', ['42501', 'permission denied to set parameter "statement_timeout"']],
    ['statement_timeout', ['55P02', 'parameter "statement_timeout" cannot be changed now']],
    ['statement_timeout', ['XX000', 'startup parameter statement_timeout is not supported']],
    [
      'statement_timeout',
      [undefined, 'unsupported startup parameter: statement_timeout. Please use unpooled connection'],
    ],
    ['TimeZone', ['08P01', 'unsupported startup parameter: timezone']],
    ['application_name', ['08P01', 'unsupported startup parameter: application_name']],
    ['options', ['08P01', 'unsupported startup parameter: options']],
    ['options', ['08P01', 'unsupported startup parameter in options: statement_timeout']],
    [
      'options',
      ['08P01', 'unsupported options startup parameter: only "-c config=val" and "--config=val" are allowed'],
    ],
    ['options', ['0A000', "Feature not supported: RDS Proxy currently doesn't support command-line options."]],
    ['options', ['0A000', 'Feature not supported: RDS Proxy currently doesn’t support command-line options.']],
  ] as const)('omits %s after %j, and warns once', (name, facts) => {
    const { parameters, warnings } = given()
    const { [name]: _left, ...rest } = SENT

    expect(parameters.learn(rejection(facts), SENT)).toBe(true)
    expect(parameters.admit(SENT)).toEqual(rest)
    expect(warnings).toEqual([expect.stringContaining(`startup parameter ${name.toLowerCase()} (`)])
    expect(warnings[0]).toContain('ALTER ROLE')

    // A concurrent attempt with the same parameters.
    expect(parameters.learn(rejection(facts), SENT)).toBe(true)
    expect(warnings).toHaveLength(1)
  })

  test('given a setting within options, then omits only that setting', () => {
    const { parameters, warnings } = given()

    expect(parameters.learn(rejection(['42704', 'unrecognized configuration parameter "geqo"']), SENT)).toBe(true)
    expect(parameters.admit(SENT)).toEqual({ ...SENT, options: 'endpoint=ep-x -c search_path=app' })
    expect(parameters.admit({ options: '-c geqo=off' })).toEqual({})
    expect(warnings).toEqual([expect.stringContaining('options (geqo)')])
  })

  test('given a parameter that was not sent under that name, then omits all parameters', () => {
    const { parameters } = given()

    expect(parameters.learn(rejection(['08P01', 'unsupported startup parameter: elsewhere']), SENT)).toBe(true)
    expect(parameters.admit(SENT)).toEqual({ user: 'options', database: 'timezone' })
  })
})

test.each([
  ['3D000', 'database "options" does not exist'],
  ['28P01', 'password authentication failed for user "options", see parameter statement_timeout'],
  ['08P01', 'no such database: timezone'],
  ['53300', 'too many connections for role "options"'],
  ['22023', 'invalid value for parameter "lock_timeout"'],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'],
] as const)('%s %s is no rejection of a parameter that was sent', (...facts) => {
  const { parameters, warnings } = given()

  expect(parameters.learn(rejection(facts), SENT)).toBe(false)
  expect(parameters.admit(SENT)).toEqual(SENT)
  expect(warnings).toEqual([])
})

test('given no parameter to omit, then does not retry', () => {
  const refusal = rejection(['08P01', 'unsupported startup parameter: statement_timeout'])

  expect(given().parameters.learn(refusal, { user: 'app', database: 'orders' })).toBe(false)
})
