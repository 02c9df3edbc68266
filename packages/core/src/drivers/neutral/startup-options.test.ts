import { describe, expect, test } from 'vitest'
import { serverDurationMillis } from './durations.ts'
import { admitSettings, isServerSetting } from './server-settings.ts'
import { parseStartupOptions, printStartupOptions, type StartupOptions } from './startup-options.ts'

describe('startup options', () => {
  test.each<[text: string, settings: [string, string][], rest: string[]]>([
    ['', [], []],
    ['-c geqo=off', [['geqo', 'off']], []],
    [
      '-cgeqo=off --work-mem=4MB',
      [
        ['geqo', 'off'],
        ['work_mem', '4MB'],
      ],
      [],
    ],
    [
      '-c search_path=a,\\ b -c x=',
      [
        ['search_path', 'a, b'],
        ['x', ''],
      ],
      [],
    ],
    ['endpoint=ep-cool-1', [], ['endpoint=ep-cool-1']],
    ['project=x -c statement_timeout=5s', [['statement_timeout', '5s']], ['project=x']],
    ['-c', [], ['-c']],
    ['-c nothing', [], ['-c', 'nothing']],
    ['-c a=b\\', [['a', 'b\\']], []],
  ])('%s', (text, settings, rest) => {
    const parsed = parseStartupOptions(text)
    expect(parsed.settings.map(({ name, value }) => [name, value])).toEqual(settings)
    expect(parsed.rest).toEqual(rest)
    expect(parseStartupOptions(printStartupOptions(parsed) ?? '')).toEqual(parsed satisfies StartupOptions)
  })

  test.each([
    ['5000', 5000],
    ['5s', 5000],
    ['5 min', 300_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['1d', 86_400_000],
    ['0', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['', undefined],
  ])('the duration %s is %s ms', (text, millis) => {
    expect(serverDurationMillis(text)).toBe(millis)
  })

  test.each([
    ['statement_timeout', true],
    ['TimeZone', true],
    ['myext.level', true],
    ['connection_limit', false],
    ['pgbouncer', false],
    ['sslmode', false],
    ['keepalives', false],
  ])('%s is a setting of the server: %s', (name, expected) => {
    expect(isServerSetting(name)).toBe(expected)
  })
})

describe('admitted startup parameters', () => {
  const pooler = { sharesServers: true, preparedStatements: 'unknown', refusesStartupParameters: true } as const
  const setting = (name: string, value = '5s') => ({ name, value, parameter: name })

  test('are all settings if the topology is unknown', () => {
    const settings = [setting('statement_timeout'), setting('search_path', 'a')]
    expect(admitSettings(settings, 'app', undefined)).toEqual({ settings, warnings: [] })
  })

  test('contain only the last setting of a name', () => {
    const settings = [setting('statement_timeout', '1s'), setting('Statement_Timeout', '2s')]
    expect(admitSettings(settings, 'app', undefined).settings).toEqual([setting('Statement_Timeout', '2s')])
  })

  test('are only those that the pooler tracks; for the others a warning says what to set on the server', () => {
    const settings = [setting('TimeZone', 'UTC'), setting('statement_timeout'), setting('search_path', 's3cret')]
    const { settings: admitted, warnings } = admitSettings(settings, 'App', pooler)

    expect(admitted).toEqual([setting('TimeZone', 'UTC')])
    expect(warnings).toMatchObject([
      {
        code: 'refused-by-pooler',
        parameter: 'statement_timeout',
        instead: expect.stringContaining(`ALTER ROLE "App" SET statement_timeout = '5s'`),
      },
      { code: 'refused-by-pooler', parameter: 'search_path', instead: expect.not.stringContaining('s3cret') },
    ])
  })
})
