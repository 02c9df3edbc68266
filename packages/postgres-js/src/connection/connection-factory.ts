import {
  type Activity,
  type AutomaticStatements,
  type ConsoleOptions,
  comesToRest,
  isServerError,
  type KnownSecrets,
  type Login,
  type OpenContext,
  type PoolerConsole,
  type ResourceFactory,
  type RunningQuery,
  SessionHealth,
  SharedHealth,
  StartupParameters,
  watchPasswordFunction,
  withFreshPassword,
} from '@poolguard/core/adapter'
import type { ParsedOptions } from '../internals.ts'
import { ArrayTypes } from './array-types.ts'
import { type Endpoint, endpointsOf } from './dial.ts'
import { openConnection } from './open-connection.ts'
import { PgBouncerConsole } from './pgbouncer-console.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { fits, type SessionAttributes } from './session-attributes.ts'

export interface ConnectionFactoryOptions {
  /** What `postgres()` made of the user's options. */
  readonly shared: ParsedOptions
  /** Instead of the user's, where the guard says so. Asked for every connection. */
  readonly applicationName: () => string | undefined
  /** Whether array types are learnt: `fetch_types`. */
  readonly fetchTypes: boolean
  /** Whether queries are prepared that can be. */
  readonly prepares: () => boolean
  readonly statements: AutomaticStatements
  /** Nothing but the login was sent on a connection. Rejects where it was lost meanwhile; false where it owes an answer. */
  readonly meet: (connection: PostgresConnection) => Promise<boolean>
  /** Whether nothing stands between here and PostgreSQL. */
  readonly isDirect: () => boolean
  /** A connection came back with a transaction open. */
  readonly leftInTransaction: () => void
  readonly warn: (message: string) => void
  /** Where the passwords of a function are added. */
  readonly secrets: KnownSecrets
}

/** Opens, checks, cleans and closes connections of postgres.js. */
export class ConnectionFactory implements ResourceFactory<PostgresConnection> {
  readonly #options: ConnectionFactoryOptions
  readonly #endpoints: readonly Endpoint[]
  readonly #arrayTypes: ArrayTypes | undefined
  readonly #parameters: StartupParameters
  readonly #health = new SharedHealth()
  /** Undefined where it is no function. */
  readonly #password: (() => Promise<unknown>) | undefined

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options
    this.#endpoints = endpointsOf(options.shared)
    this.#parameters = new StartupParameters(options.warn)
    const { pass } = options.shared
    this.#password =
      typeof pass === 'function' ? watchPasswordFunction(pass, (found) => options.secrets.add(found)) : undefined
    this.#arrayTypes = options.fetchTypes ? new ArrayTypes(options.shared, options.warn) : undefined
  }

  /** Tries the hosts in the order given: the next one where a host cannot be reached, or is not what was asked for. */
  async open(context: OpenContext): Promise<PostgresConnection> {
    let failure: unknown
    for (const endpoint of this.#endpoints) {
      try {
        const connection = await this.#tryAt(endpoint, context)
        if (connection) return connection
        failure = unsuitable(this.#options.shared.target_session_attrs)
      } catch (error) {
        // Said by a server that was reached: the next host would not be what was asked for.
        if (isServerError(error) || context.signal.aborted) throw error
        failure = error
      }
    }
    throw failure
  }

  /** Undefined where the server is not what was asked for. */
  async #tryAt(endpoint: Endpoint, { signal, lost }: OpenContext): Promise<PostgresConnection | undefined> {
    let kept = true
    const connection = await this.#openAt(endpoint, { signal, lost: (error) => kept && lost(error) })
    try {
      kept = await this.#suits(connection, endpoint)
      if (kept) await this.#prepare(connection, signal)
    } catch (error) {
      kept = false
      throw error
    } finally {
      if (!kept) await this.close(connection)
    }
    return kept ? connection : undefined
  }

  async #prepare(connection: PostgresConnection, signal: AbortSignal): Promise<void> {
    if (!(await this.#options.meet(connection))) await answered(connection, signal)
    await this.#arrayTypes?.learn(connection)
  }

  #openAt(endpoint: Endpoint, context: OpenContext): Promise<PostgresConnection> {
    const password = this.#password
    if (!password) return this.#login(endpoint, this.#options.shared.pass, context)
    return withFreshPassword(async () => this.#login(endpoint, await password(), context), context.signal)
  }

  /** A startup parameter that the other end refuses is left out, and the login tried again. */
  async #login(endpoint: Endpoint, password: unknown, context: OpenContext): Promise<PostgresConnection> {
    const { shared, prepares, statements, isDirect } = this.#options
    for (;;) {
      const connection = this.#parameters.admit(this.#startupParameters())
      try {
        return await openConnection(
          {
            shared,
            endpoint,
            password: String(password),
            connection,
            prepares,
            statements,
            health: new SessionHealth(this.#health, performance.now()),
            isDirect,
            reported: (name, value) => this.#reported(name, value),
            closed: (id) => shared.onclose?.(id),
          },
          context,
        )
      } catch (error) {
        if (!this.#parameters.learn(error, connection)) throw error
      }
    }
  }

  #startupParameters(): Record<string, unknown> {
    const { shared, applicationName } = this.#options
    const name = applicationName()
    return { ...shared.connection, ...(name !== undefined && { application_name: name }) }
  }

  /** A standby is only preferred: the last host will do. */
  async #suits(connection: PostgresConnection, endpoint: Endpoint): Promise<boolean> {
    const wanted = this.#options.shared.target_session_attrs as SessionAttributes | null | undefined
    if (!wanted || (wanted === 'prefer-standby' && endpoint === this.#endpoints.at(-1))) return true
    return await fits(connection, wanted)
  }

  /** `sql.parameters` is what any connection heard last. */
  #reported(name: string, value: string): void {
    const { parameters, onparameter } = this.#options.shared
    if (parameters[name] === value) return
    parameters[name] = value
    onparameter?.(name, value)
  }

  close(connection: PostgresConnection): Promise<void> {
    return connection.close()
  }

  /** An empty query: the least that a server answers. */
  async validate(connection: PostgresConnection): Promise<boolean> {
    await connection.ask('')
    return true
  }

  /** The console of the PgBouncer that a connection leads to, or of the one that is named. */
  get login(): Login {
    const { user, database } = this.#options.shared
    return { user, database }
  }

  openConsole({ endpoint }: PostgresConnection, options: ConsoleOptions): Promise<PoolerConsole> {
    const { shared, statements } = this.#options
    return PgBouncerConsole.open({ shared, endpoint, statements }, options)
  }

  activity(connection: PostgresConnection): Activity {
    return connection.activity
  }

  runningQuery(connection: PostgresConnection): RunningQuery | undefined {
    return connection.runningQuery
  }

  isListening(connection: PostgresConnection): boolean {
    return connection.listening.listening
  }

  reset(connection: PostgresConnection): boolean | Promise<boolean> {
    const { lost, busy, inTransaction, cancelling, preparer, health } = connection
    if (lost || preparer.spent) return false
    if (busy || inTransaction || cancelling || !health.isFine) return this.#cleanUp(connection)
    connection.endsTransactions = false
    return true
  }

  async #cleanUp(connection: PostgresConnection): Promise<boolean> {
    if (!(await comesToRest(connection))) return false
    if (connection.inTransaction) {
      if (!connection.endsTransactions) this.#options.leftInTransaction()
      await connection.ask('rollback')
    }
    connection.endsTransactions = false
    const { lost, inTransaction, preparer, health } = connection
    if (lost || inTransaction || preparer.spent) return false
    return (
      health.isFine || !(await health.isSick(async (text) => (await connection.askRow(text))?.[0], performance.now()))
    )
  }
}

/** Nothing may be sent on a connection that owes an answer to a question of our own. */
async function answered(connection: PostgresConnection, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  await Promise.race([connection.settled(), aborted])
}

function unsuitable(wanted: unknown): Error {
  return Object.assign(new Error(`connect: no host is ${String(wanted)}`), { code: '08001' })
}
