import {
  type AutomaticStatements,
  type ConsoleOptions,
  type PoolerConsole,
  systemClock,
  withTimeout,
} from '@poolguard/core/adapter'
import { PGBOUNCER_CONSOLE, SessionHealth, SharedHealth } from '@poolguard/core/connection'
import postgres from 'postgres'
import { readOptions } from '../guarded-options.ts'
import { type ParsedOptions, parsedOptionsOf } from '../internals.ts'
import { type Endpoint, endpointOf } from './dial.ts'
import { type Credentials, openConnection } from './open-connection.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/** The address and login of a console. */
export interface ConsoleTarget extends Credentials {
  readonly shared: ParsedOptions
  readonly endpoint: Endpoint
  readonly statements: AutomaticStatements
}

/** PgBouncer's admin console, for reading its clients. */
export class PgBouncerConsole implements PoolerConsole {
  readonly closed: Promise<void>
  readonly user: string
  readonly applicationName: string | undefined
  readonly #connection: PostgresConnection
  readonly #timeoutMillis: number

  private constructor(connection: PostgresConnection, user: string, closed: Promise<void>, options: ConsoleOptions) {
    this.#connection = connection
    this.user = user
    this.closed = closed
    this.applicationName = options.applicationName
    this.#timeoutMillis = options.patienceMillis
  }

  /** Connects to the PgBouncer at `options.url`, or else to the target. */
  static async open(target: ConsoleTarget, options: ConsoleOptions): Promise<PgBouncerConsole> {
    const { url, patienceMillis, applicationName } = options
    const { shared, endpoint, user, password } = url === undefined ? target : targetOf(url)
    const { promise: closed, resolve: onLost } = Promise.withResolvers<void>()
    const timeout = new AbortController()
    const cancelTimeout = systemClock.after(patienceMillis, () => timeout.abort(timeoutError(patienceMillis)))
    try {
      const connection = await openConnection(
        {
          shared: { ...shared, database: PGBOUNCER_CONSOLE },
          endpoint,
          user,
          password,
          // The console rejects all other startup parameters.
          connection: { ...(applicationName !== undefined && { application_name: applicationName }) },
          prepares: () => false,
          statements: target.statements,
          health: new SessionHealth(new SharedHealth(), performance.now()),
          insight: undefined,
          isDirect: () => false,
          onParameterStatus: () => {},
          onReported: () => {},
          onClosed: () => {},
        },
        { signal: timeout.signal, lost: onLost },
      )
      connection.unref()
      return new PgBouncerConsole(connection, user, closed, options)
    } finally {
      cancelTimeout()
    }
  }

  async show(command: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return withTimeout(this.#connection.askNamed(`SHOW ${command}`), this.#timeoutMillis, () =>
      timeoutError(this.#timeoutMillis),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close()
  }
}

function targetOf(url: string): Omit<ConsoleTarget, 'statements'> {
  const shared = parsedOptionsOf(postgres({ ...readOptions({ url }).driver, max: 1 }))
  const { user, pass } = shared
  return { shared, endpoint: endpointOf(shared), user, password: String(pass) }
}

function timeoutError(timeoutMillis: number): Error {
  return new Error(`PgBouncer's admin console did not answer within ${timeoutMillis} ms`)
}
