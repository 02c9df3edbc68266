import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ConnectionString,
  ConnectionStringError,
  type ConnectionStringParts,
  parseConnectionString,
} from '../connection-string/index.ts'
import { PoolguardError } from '../poolguard-error.ts'
import { directUrlFor, guessProvider } from '../provider/index.ts'
import type { TopologyTraits } from '../topology/index.ts'
import type { ConnectionSettings } from './neutral/connection-settings.ts'
import { toPg } from './pg/to-pg.ts'
import { toPostgresJs } from './postgres-js/to-postgres-js.ts'
import { toPrismaEngine } from './prisma-engine/to-prisma-engine.ts'
import { describeRewriteWarning } from './rewriting.ts'
import { anyText, connectionParts, SECRET, secretPassword, settings, topologies } from './testing/arbitraries.ts'

/** Runs per property; the full matrix has 100,000. */
const RUNS = process.env.POOLGUARD_MATRIX === 'full' ? 100_000 : 5_000
const TIMEOUT = 900_000

const REWRITERS = { toPrismaEngine, toPg, toPostgresJs }

function partsOf({ scheme, user, password, hosts, database, parameters }: ConnectionString): ConnectionStringParts {
  return { scheme, user, password, hosts, database, parameters }
}

/** A value in all its printed forms. */
function shown(thing: unknown): string {
  return `${inspect(thing, { depth: 9 })} ${JSON.stringify(thing)} ${thing}`
}

/** Runs a function. Returns its result, or its error if that is a PoolguardError. */
function resultOf<T>(run: () => T): T | PoolguardError {
  try {
    return run()
  } catch (error) {
    if (error instanceof PoolguardError) return error
    throw error
  }
}

function rewriteAll(text: string, settings: ConnectionSettings, topology: TopologyTraits | undefined): unknown[] {
  const connection = resultOf(() => parseConnectionString(text))
  if (!(connection instanceof ConnectionString)) return [connection]
  const rewritten = Object.values(REWRITERS).map((rewrite) =>
    resultOf(() => rewrite(connection, settings, { topology })),
  )
  return [
    connection,
    ...rewritten,
    ...rewritten.flatMap((result) =>
      'warnings' in result ? [...result.warnings, ...result.repairs].map(describeRewriteWarning) : [],
    ),
    resultOf(() => guessProvider(connection)),
    resultOf(() => directUrlFor(connection)),
  ]
}

describe('any text', () => {
  test('is parsed or rejected with a typed error, and parses the same after printing', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = resultOf(() => parseConnectionString(text))
        if (parsed instanceof PoolguardError) {
          expect(parsed).toBeInstanceOf(ConnectionStringError)
          return
        }
        expect(partsOf(parseConnectionString(parsed.href))).toEqual(partsOf(parsed))
      }),
      { seed: 11, numRuns: RUNS },
    )
  })

  test('is rewritten or rejected with a typed error by every rewriter', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(anyText, settings, topologies, (text, settings, topology) => {
        expect(rewriteAll(text, settings, topology).length).toBeGreaterThan(0)
      }),
      { seed: 12, numRuns: RUNS },
    )
  })
})

describe('a connection string with any parts', () => {
  test('parses the same after printing', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(connectionParts, (parts) => {
        expect(partsOf(parseConnectionString(new ConnectionString(parts).href))).toEqual(parts)
      }),
      { seed: 13, numRuns: RUNS },
    )
  })

  test('does not change when it is rewritten a second time', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(connectionParts, topologies, (parts, topology) => {
        const once = resultOf(() => toPrismaEngine(new ConnectionString(parts), {}, { topology }))
        if (once instanceof PoolguardError) return
        const twice = toPrismaEngine(parseConnectionString(once.url.href), {}, { topology })
        expect(twice.url.href).toBe(once.url.href)
      }),
      { seed: 14, numRuns: RUNS },
    )
  })

  test('keeps its host, user, password and database in every rewriting', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(connectionParts, topologies, (parts, topology) => {
        const connection = new ConnectionString({ ...parts, parameters: [] })
        const { user, password, database, hosts } = connection
        expect(toPg(connection, {}, { topology }).options).toMatchObject(
          JSON.parse(JSON.stringify({ user, password, database, host: hosts[0]?.host, port: hosts[0]?.port })),
        )
        expect(toPostgresJs(connection, {}, { topology }).options).toMatchObject(
          JSON.parse(JSON.stringify({ user, password, database })),
        )
        expect(toPrismaEngine(connection, {}, { topology }).url).toMatchObject({ user, database })
        expect(toPrismaEngine(connection, {}, { topology }).url.password).toBe(password)
      }),
      { seed: 15, numRuns: RUNS },
    )
  })
})

describe('a password', () => {
  test('is in no warning, no error and no printed value', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(secretPassword, settings, topologies, ({ text }, settings, topology) => {
        for (const thing of rewriteAll(text, settings, topology)) expect(shown(thing)).not.toContain(SECRET)
      }),
      { seed: 16, numRuns: RUNS },
    )
  })
})
