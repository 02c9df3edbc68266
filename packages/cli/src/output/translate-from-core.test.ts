import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BudgetError,
  describeSizing,
  littlesLaw,
  parseConnectionString,
  planBudget,
  sizeAgainstLocking,
  sizeByBusyRatio,
  sizeByCores,
  toPg,
  toPostgresJs,
  toPrismaEngine,
} from '@poolguard/core/postgres'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CORE_TEXTS } from './core-texts.ts'
import { selectLanguage } from './translate.ts'
import { translateFromCore } from './translate-from-core.ts'

const unlimited = { roleLimit: null, databaseLimit: null, used: 0, usedByRole: 0, usedByDatabase: 0 }
const capacity = { maxConnections: 100, reserved: 3, ...unlimited }
const others = { connections: 5, ofRole: 0, ofDatabase: 0 }
const pooler = {
  mode: 'transaction',
  maxClients: 100,
  otherClients: 4,
  poolSize: 20,
  reservePoolSize: 5,
  maxDbConnections: 22,
  maxUserConnections: null,
} as const

const PLANS = [
  { capacity, instances: 6 },
  { capacity, others, instances: 6, maxSurge: '25%', processesPerInstance: 2, poolsPerProcess: 2, migrations: 2 },
  { capacity: { ...capacity, roleLimit: 40 }, others: { ...others, ofRole: 2 }, instances: 4, maxSurge: 1 },
  { capacity: { ...capacity, databaseLimit: 30 }, instances: 2 },
  { capacity, pooler, instances: 8 },
  { capacity, pooler: { ...pooler, reservePoolSize: 0, otherClients: 0, maxDbConnections: null }, instances: 2 },
] as const

const REFUSED = [
  { capacity, instances: 90 },
  { capacity, others, instances: 50, maxSurge: 4, poolsPerProcess: 2, migrations: 2 },
  { capacity, instances: 60, headroom: 50 },
  { capacity, pooler: { ...pooler, poolSize: 200, maxDbConnections: null }, instances: 8 },
  { capacity, pooler, instances: 200 },
] as const

const SIZINGS = [
  littlesLaw({ checkoutsPerSecond: 400, heldMillis: 12 }),
  littlesLaw({ checkoutsPerSecond: 90_000, heldMillis: 12 }),
  sizeByCores({ cores: 2 }),
  sizeByCores({ cores: 100 }),
  sizeByBusyRatio({ cores: 4, busyRatio: 0.5 }),
  sizeAgainstLocking({ concurrency: 3, connectionsEach: 4 }),
  sizeAgainstLocking({ concurrency: 100, connectionsEach: 4 }),
]

const URL =
  'postgresql://app@a,b/app?pgbouncer=true&statement_cache_size=0&target_session_attrs=primary&hostaddr=10.0.0.1&client_encoding=utf8&sslmode=prefer&connection_limit=5&gssencmode=disable&fallback_application_name=x&sslcert=c.pem&keepalives=1'

beforeEach(() => selectLanguage('zh'))
afterEach(() => selectLanguage('en'))

/** English words that are left, besides names and values. */
function english(text: string): readonly string[] {
  return text.match(/\b(?!max\b|default\b)[a-z]{2,} [a-z]{2,}\b/g) ?? []
}

function refusalOf(input: Parameters<typeof planBudget>[0]): string {
  try {
    planBudget(input)
  } catch (error) {
    if (error instanceof BudgetError) return error.message
  }
  throw new Error('The plan fits.')
}

describe('Chinese', () => {
  test.each(PLANS.flatMap((input) => planBudget(input).steps))('step of a plan: %s', (step) => {
    const translated = translateFromCore(step)
    expect(english(translated)).toEqual([])
    expect(numbers(translated)).toEqual(numbers(step))
  })

  test.each(REFUSED.map(refusalOf))('plan that does not fit: %s', (message) => {
    const translated = translateFromCore(message)
    expect(english(translated)).toEqual([])
    expect(numbers(translated)).toEqual(numbers(message))
  })

  test.each(
    [planBudget({ capacity, instances: 6 }), planBudget({ capacity, instances: 40 })].flatMap((budget) =>
      describeSizing(budget, SIZINGS),
    ),
  )('formula: %s', (line) => {
    const translated = translateFromCore(line.trim())
    expect(english(translated)).toEqual([])
    expect(numbers(translated)).toEqual(numbers(line))
  })

  test.each(
    [toPg, toPostgresJs, toPrismaEngine].flatMap((rewrite) => {
      const { warnings, repairs } = rewrite(parseConnectionString(URL))
      return [...warnings, ...repairs].filter(({ code }) => /driver|refused|host|flag/.test(code)).map(({ why }) => why)
    }),
  )('why a driver ignores or rejects a parameter: %s', (why) => {
    expect(english(translateFromCore(why))).toEqual([])
  })

  test('keeps other texts', () => {
    expect(translateFromCore('relation "a, or b" does not exist.')).toBe('relation "a, or b" does not exist.')
  })

  test('translates long and nested text in linear time', () => {
    expect(translateFromCore('PostgreSQL, directly, '.repeat(10_000))).toHaveLength(220_000)
    expect(translateFromCore(`${'a = b x c, or '.repeat(100)}. `)).toContain('a = b')
  })
})

test('English stays as it is', () => {
  selectLanguage('en')
  for (const text of CORE_TEXTS) expect(translateFromCore(text)).toBe(text)
})

test('each text is in the sources of core', () => {
  const core = join(import.meta.dirname, '../../../core/src')
  const files = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const sources = files.map((file) => readFileSync(join(core, file), 'utf8').toLowerCase()).join('\n')
  const missing = CORE_TEXTS.filter((text) =>
    text.split(/\{\d+\}/).some((part) => !sources.includes(part.trim().toLowerCase())),
  )
  expect(missing).toEqual([])
})

function numbers(text: string): readonly string[] {
  return (text.match(/\d+(?:\.\d+)?/g) ?? []).toSorted()
}
