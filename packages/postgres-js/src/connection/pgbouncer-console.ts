import {
  type AutomaticStatements,
  type ConsoleOptions,
  type PoolerConsole,
  SessionHealth,
  SharedHealth,
  systemClock,
  withTimeout,
} from '@poolguard/core/adapter'
import { PGBOUNCER_CONSOLE } from '@poolguard/core/postgres'
import postgres from 'postgres'
import { readOptions } from '../guarded-options.ts'
import { type ParsedOptions, parsedOptionsOf } from '../internals.ts'
import { type Endpoint, endpointsOf } from './dial.ts'
import { openConnection } from './open-connection.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/** Where a console is, and who asks. */
export interface ConsoleTarget {
  readonly shared: ParsedOptions
  readonly endpoint: Endpoint
  readonly statements: AutomaticStatements
}

/** PgBouncer's admin console, for looks at its clients. */
export class PgBouncerConsole implements PoolerConsole {
  readonly closed: Promise<void>
  readonly user: string
  readonly applicationName: string | undefined
  readonly #connection: PostgresConnection
  readonly #patienceMillis: number

  private constructor(connection: PostgresConnection, user: string, closed: Promise<void>, options: ConsoleOptions) {
    this.#connection = connection
    this.user = user
    this.closed = closed
    this.applicationName = options.applicationName
    this.#patienceMillis = options.patienceMillis
  }

  /** Of the PgBouncer at `url`, or else of the target. */
  static async open(target: ConsoleTarget, options: ConsoleOptions): Promise<PgBouncerConsole> {
    const { url, patienceMillis, applicationName } = options
    const { shared, endpoint } = url === undefined ? target : targetOf(url)
    const password = typeof shared.pass === 'function' ? await shared.pass() : shared.pass
    const { promise: closed, resolve: lost } = Promise.withResolvers<void>()
    const late = new AbortController()
    const cancelTimeout = systemClock.after(patienceMillis, () => late.abort(tooLate()))
    try {
      const connection = await openConnection(
        {
          shared: { ...shared, database: PGBOUNCER_CONSOLE },
          endpoint,
          password: String(password),
          // Other startup parameters would be refused.
          connection: { ...(applicationName !== undefined && { application_name: applicationName }) },
          prepares: () => false,
          statements: target.statements,
          health: new SessionHealth(new SharedHealth(), performance.now()),
          isDirect: () => false,
          reported: () => {},
          closed: () => {},
        },
        { signal: late.signal, lost },
      )
      connection.unref()
      return new PgBouncerConsole(connection, shared.user, closed, options)
    } finally {
      cancelTimeout()
    }
  }

  async show(what: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return withTimeout(this.#connection.askNamed(`SHOW ${what}`), this.#patienceMillis, tooLate)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close()
  }
}

function targetOf(url: string): Pick<ConsoleTarget, 'shared' | 'endpoint'> {
  const shared = parsedOptionsOf(postgres({ ...readOptions({ url }).driver, max: 1 }))
  return { shared, endpoint: endpointsOf(shared)[0] as Endpoint }
}

function tooLate(): Error {
  return new Error('the console did not answer in time')
}
