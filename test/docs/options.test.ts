import { DEFAULT_POOL_SETTINGS, OPTION_NAMES, validatePoolSettings } from '@poolguard/core/adapter'
import { DEFAULT_HEALTH_THRESHOLDS } from '@poolguard/core/web'
import { expect, test } from 'vitest'
import { membersOf, sourceTexts } from './sources.ts'
import { codeIn, tableRows } from './tables.ts'

const rows = tableRows('docs/options.md')
const options = rows
  .filter(({ cells }) => cells.Option !== undefined)
  .map(({ heading, section, cells }) => ({
    heading,
    section,
    name: codeIn(cells.Option),
    default: codeIn(cells.Default),
    minimum: cells.Minimum,
  }))

const SETTINGS = Object.keys(DEFAULT_POOL_SETTINGS)

/** The options of a place: those of the interfaces, and of the objects within them. */
function within(outer: string, packageName: string, interfaceName: string): string[] {
  return membersOf(packageName, interfaceName).map((name) => `${outer}.${name}`)
}

const OBSERVE = ['leakThresholdMillis', 'longQueryMillis', 'captureStacks', ...membersOf('pg', 'ObserveOptions')]
/** The options of every framework. */
const FRAMEWORK = [
  ...membersOf('web', 'EndpointOptions'),
  ...within('metrics', 'web', 'MetricsOptions'),
  ...within('page', 'web', 'PageOptions'),
  ...membersOf('web', 'RequestOptions'),
  ...within('shedLoad', 'core', 'ShedLoadOptions'),
]
const HEALTH = membersOf('core', 'HealthMonitorOptions')

const SECTIONS: readonly (readonly [place: string, names: readonly string[]])[] = [
  [
    'Every pool',
    [
      ...OPTION_NAMES,
      ...SETTINGS.map((name) => `pool.${name}`),
      ...within('fleet', 'core', 'FleetOptions'),
      ...within('lanes.NAME', 'core', 'LaneSettings'),
    ],
  ],
  ['pg', membersOf('pg', 'GuardedPoolConfig')],
  ['observe(pool, options)', OBSERVE],
  ['Drizzle', membersOf('drizzle', 'ScopeOptions')],
  ['inBatches(prisma, items, work, options)', membersOf('prisma', 'BatchOptions')],
  ['TypeORM', [...membersOf('typeorm', 'GuardOptions'), 'resetOnRelease']],
  ['Fastify', [...membersOf('fastify', 'PoolguardFastifyOptions'), ...FRAMEWORK]],
  ['Web', [...membersOf('web', 'PoolguardWebOptions'), ...FRAMEWORK]],
  ['express(route)', membersOf('web', 'RouteOptions')],
  [
    'NestJS',
    [
      ...membersOf('nestjs', 'PoolguardModuleOptions'),
      ...membersOf('nestjs', 'PoolguardModuleExtras'),
      ...membersOf('nestjs', 'PoolguardModuleAsyncExtras'),
      ...FRAMEWORK,
    ],
  ],
  ['SQLite', membersOf('sqlite', 'SqliteOptions')],
  ['transaction(work, options)', membersOf('sqlite', 'TransactionOptions')],
  ['installShutdown(options)', membersOf('core', 'ShutdownOptions')],
  ['new HealthMonitor(options)', HEALTH],
]
const places = SECTIONS.map(([place]) => place)

test.each(SECTIONS)('the options of %s are those of the code', (place, names) => {
  expect(documented(place).toSorted()).toEqual([...new Set(names)].toSorted())
})

test('every table of options has a place that is compared', () => {
  expect(options.filter(({ heading, section }) => !places.includes(heading) && !places.includes(section))).toEqual([])
})

test('postgres-js observes with the same options as pg', () => {
  expect(membersOf('postgres-js', 'ObserveOptions')).toEqual(membersOf('pg', 'ObserveOptions'))
})

test.each(Object.entries(DEFAULT_POOL_SETTINGS))('the default of pool.%s is %s', (name, value) => {
  const row = options.find((each) => each.section === 'Every pool' && each.name === `pool.${name}`)
  const shown = (row?.default ?? '').replaceAll("'", '')
  expect(shown).toBe(String(value))
})

const numbers = Object.entries(DEFAULT_POOL_SETTINGS).filter(([, value]) => typeof value === 'number')

test.each(numbers)('the minimum of pool.%s is the documented one, and Infinity is allowed as documented', (name) => {
  const row = options.find((each) => each.section === 'Every pool' && each.name === `pool.${name}`)
  const minimum = Number(row?.minimum)
  expect(() => validatePoolSettings({ [name]: minimum })).not.toThrow()
  expect(() => validatePoolSettings({ [name]: minimum - 1 })).toThrow()
  const endless = () => validatePoolSettings({ [name]: Infinity })
  if (['max', 'min', 'serverCores'].includes(name)) expect(endless).toThrow()
  else expect(endless).not.toThrow()
})

test('the thresholds of health are those of the code', () => {
  const thresholds = rows
    .filter(({ cells }) => cells.Measure !== undefined)
    .map(({ cells }) => [
      codeIn(cells.Measure),
      { warning: Number(codeIn(cells.Warning)), critical: Number(codeIn(cells.Critical)) },
    ])
  expect(Object.fromEntries(thresholds)).toEqual(DEFAULT_HEALTH_THRESHOLDS)
})

test('the parameters of a URL that set a pool are those of the code, with their units', () => {
  const source = sourceTexts(['core']).find((text) => text.includes('const URL_PARAMETERS')) ?? ''
  const read = [...source.matchAll(/^ {2}(\w+): \['(\w+)', '(\w+)'\],$/gm)]
    .map(([, parameter, setting, unit]) => ({ setting: `pool.${setting}`, parameter, seconds: unit === 'seconds' }))
    .filter(({ setting }) => SETTINGS.includes(setting.replace('pool.', '')))
  const shown = rows
    .filter(({ cells }) => cells.Sets !== undefined)
    .flatMap(({ cells }) =>
      (cells['URL parameters'] ?? '').split(', ').map((text) => ({
        setting: codeIn(cells.Sets),
        parameter: codeIn(text.replace(' (seconds)', '')),
        seconds: text.endsWith(' (seconds)'),
      })),
    )
  const inOrder = (list: readonly { readonly parameter: string | undefined }[]) =>
    list.toSorted((a, b) => String(a.parameter).localeCompare(String(b.parameter)))
  expect(read.length).toBeGreaterThan(5)
  expect(inOrder(shown)).toEqual(inOrder(read))
})

test('the flags of the command line are those of the code', () => {
  const declared = sourceTexts(['cli']).flatMap((text) =>
    [...text.matchAll(/'(--[a-z][a-z0-9-]{1,40})(?: <[^'>]{1,40}>)?'/g)].map(([, flag = '']) => flag),
  )
  const shown = rows.filter(({ cells }) => cells.Flag !== undefined).map(({ cells }) => codeIn(cells.Flag))
  expect(shown.toSorted()).toEqual([...new Set(declared)].toSorted())
})

/** Of a heading, or of a section with its headings, unless they are places of their own. */
function documented(place: string): string[] {
  const own = options.filter(
    ({ heading, section }) => heading === place || (section === place && !places.includes(heading)),
  )
  return own.map(({ name }) => name)
}
