import {
  type AutomaticStatements,
  type ConsoleOptions,
  type CredentialSource,
  comesToRest,
  type InsightRecorder,
  isServerError,
  type LeaseActivity,
  type Login,
  type OpenContext,
  type PoolerConsole,
  type ResourceFactory,
  type RunningQuery,
  SessionHealth,
  SharedHealth,
  StartupParameters,
  type UseCredentials,
} from '@poolguard/core/adapter'
import type { ParsedOptions } from '../internals.ts'
import { ArrayTypes } from './array-types.ts'
import { type Endpoint, endpointsOf } from './dial.ts'
import { type Credentials, openConnection } from './open-connection.ts'
import { PgBouncerConsole } from './pgbouncer-console.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { matchesAttributes, type SessionAttributes } from './session-attributes.ts'

export interface ConnectionFactoryOptions {
  /** The user's options, parsed by `postgres()`. */
  readonly shared: ParsedOptions
  /** Replaces the configured application_name if it returns a name. Called for every connection. */
  readonly applicationName: () => string | undefined
  /** The option `fetch_types`: whether array types are read. */
  readonly fetchTypes: boolean
  /** Whether queries are prepared. */
  readonly prepares: () => boolean
  readonly statements: AutomaticStatements
  /**
   * Called right after the login, before anything else is sent. Rejects if the connection is lost meanwhile; resolves to false if an
   * answer is still outstanding.
   */
  readonly inspect: (connection: PostgresConnection) => Promise<boolean>
  /** True if there is no pooler between the pool and PostgreSQL. */
  readonly isDirect: () => boolean
  /** Called if a connection is released inside a transaction. */
  readonly leftInTransaction: () => void
  readonly warn: (message: string) => void
  /** Measures where the time of connections goes. */
  readonly insight: InsightRecorder<PostgresConnection> | undefined
  /** Set if a function of the app returns the password. */
  readonly credentials: CredentialSource | undefined
}

/** Opens, validates, resets and closes connections of postgres.js. */
export class ConnectionFactory implements ResourceFactory<PostgresConnection> {
  readonly #options: ConnectionFactoryOptions
  readonly #endpoints: readonly Endpoint[]
  readonly #arrayTypes: ArrayTypes | undefined
  readonly #parameters: StartupParameters
  readonly #health = new SharedHealth()
  /** The user of the last login. */
  #user: string

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options
    this.#endpoints = endpointsOf(options.shared)
    this.#parameters = new StartupParameters(options.warn)
    this.#user = options.shared.user
    this.#arrayTypes = options.fetchTypes ? new ArrayTypes(options.shared, options.warn) : undefined
  }

  /** Tries the hosts in order. Goes to the next one if a host is unreachable or does not match `target_session_attrs`. */
  async open(context: OpenContext): Promise<PostgresConnection> {
    let failure: unknown
    for (const endpoint of this.#endpoints) {
      try {
        const connection = await this.#tryAt(endpoint, context)
        if (connection) return connection
        failure = noMatchingHost(this.#options.shared.target_session_attrs)
      } catch (error) {
        // The next host is only for a host that cannot be reached, not for one that rejects the login.
        if (isServerError(error) || context.signal.aborted) throw error
        failure = error
      }
    }
    throw failure
  }

  /** Resolves to undefined if the server does not match `target_session_attrs`. */
  async #tryAt(endpoint: Endpoint, { signal, lost }: OpenContext): Promise<PostgresConnection | undefined> {
    let isSuitable = true
    const connection = await this.#openAt(endpoint, { signal, lost: (error) => isSuitable && lost(error) })
    try {
      isSuitable = await this.#matches(connection, endpoint)
      if (isSuitable) await this.#prepare(connection, signal)
    } catch (error) {
      isSuitable = false
      throw error
    } finally {
      if (!isSuitable) await this.close(connection)
    }
    return isSuitable ? connection : undefined
  }

  async #prepare(connection: PostgresConnection, signal: AbortSignal): Promise<void> {
    if (!(await this.#options.inspect(connection))) await waitForAnswer(connection, signal)
    await this.#arrayTypes?.fetch(connection)
  }

  #openAt(endpoint: Endpoint, context: OpenContext): Promise<PostgresConnection> {
    const { credentials } = this.#options
    if (!credentials) return this.#login(endpoint, this.#fixedLogin(), context)
    return credentials.connect(context.signal, async (use) =>
      this.#login(endpoint, await this.#loginWith(use, endpoint), context),
    )
  }

  #fixedLogin(): Credentials {
    const { user, pass } = this.#options.shared
    return { user, password: String(pass) }
  }

  /** The credentials for a connection that is not the pool's own. */
  async #extraLogin(endpoint: Endpoint): Promise<Credentials> {
    const { credentials } = this.#options
    return credentials ? this.#loginWith((request) => credentials.get(request), endpoint) : this.#fixedLogin()
  }

  async #loginWith(use: UseCredentials, endpoint: Endpoint): Promise<Credentials> {
    const { user, database } = this.#options.shared
    const { host, port } = endpoint
    const answer = await use({ host, port, user, database })
    this.#user = answer.user ?? user
    return { user: this.#user, password: String(answer.password) }
  }

  /** If the server or pooler rejects a startup parameter, retries the login without that parameter. */
  async #login(endpoint: Endpoint, login: Credentials, context: OpenContext): Promise<PostgresConnection> {
    for (;;) {
      const connection = this.#parameters.admit(this.#startupParameters())
      try {
        return await this.#openWith({ endpoint, ...login, connection }, context)
      } catch (error) {
        if (!this.#parameters.learn(error, connection)) throw error
      }
    }
  }

  #openWith(
    login: Credentials & { readonly endpoint: Endpoint; readonly connection: Record<string, unknown> },
    context: OpenContext,
  ): Promise<PostgresConnection> {
    const { shared, prepares, statements, isDirect, insight } = this.#options
    const options = {
      ...login,
      ...{ shared, prepares, statements, isDirect, insight },
      health: new SessionHealth(this.#health, performance.now()),
      onParameterStatus: (name: string, value: string) => this.#onParameterStatus(name, value),
      onClosed: (id: number) => shared.onclose?.(id),
    }
    return openConnection(options, context)
  }

  /** See `GuardedDriver.answerToParameter`. */
  async answerToParameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    const [endpoint] = this.#endpoints
    if (!endpoint) return undefined
    const login = await this.#extraLogin(endpoint)
    const connection = { ...this.#startupParameters(), [name]: '1' }
    try {
      const opened = await this.#openWith({ endpoint, ...login, connection }, { signal, lost: () => {} })
      await opened.close()
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  #startupParameters(): Record<string, unknown> {
    const { shared, applicationName } = this.#options
    const name = applicationName()
    return { ...shared.connection, ...(name !== undefined && { application_name: name }) }
  }

  /** With `prefer-standby`, the last host is accepted even if it is no standby. */
  async #matches(connection: PostgresConnection, endpoint: Endpoint): Promise<boolean> {
    const wanted = this.#options.shared.target_session_attrs as SessionAttributes | null | undefined
    if (!wanted || (wanted === 'prefer-standby' && endpoint === this.#endpoints.at(-1))) return true
    return await matchesAttributes(connection, wanted)
  }

  /** `sql.parameters` has the value that any connection received last. */
  #onParameterStatus(name: string, value: string): void {
    const { parameters, onparameter } = this.#options.shared
    if (parameters[name] === value) return
    parameters[name] = value
    onparameter?.(name, value)
  }

  close(connection: PostgresConnection): Promise<void> {
    return connection.close()
  }

  /** Sends an empty query, the cheapest round trip. */
  async validate(connection: PostgresConnection): Promise<boolean> {
    await connection.ask('')
    return true
  }

  get login(): Login {
    return { user: this.#user, database: this.#options.shared.database }
  }

  /** Opens the console of the PgBouncer behind a connection, or of `options.url`. */
  async openConsole({ endpoint }: PostgresConnection, options: ConsoleOptions): Promise<PoolerConsole> {
    const { shared, statements } = this.#options
    const login = await this.#extraLogin(endpoint)
    return PgBouncerConsole.open({ shared, endpoint, statements, ...login }, options)
  }

  activity(connection: PostgresConnection): LeaseActivity {
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
    if (lost || preparer.hasLostStatements) return false
    if (connection.abandoned) return this.#resetAfterCancelling(connection)
    if (busy || inTransaction || cancelling || !health.isFine) return this.#cleanUp(connection)
    connection.endsTransactions = false
    return true
  }

  async #resetAfterCancelling(connection: PostgresConnection): Promise<boolean> {
    if (!(await connection.afterCancelling())) return false
    // The caller is not to blame for a transaction in which poolguard has cancelled a statement.
    connection.endsTransactions = true
    return await this.reset(connection)
  }

  async #cleanUp(connection: PostgresConnection): Promise<boolean> {
    if (!(await comesToRest(connection))) return false
    if (connection.inTransaction) {
      if (!connection.endsTransactions) this.#options.leftInTransaction()
      await connection.ask('rollback')
    }
    connection.endsTransactions = false
    const { lost, inTransaction, preparer, health } = connection
    if (lost || inTransaction || preparer.hasLostStatements) return false
    return (
      health.isFine || !(await health.isSick(async (text) => (await connection.askRow(text))?.[0], performance.now()))
    )
  }
}

/** Waits for the answer to an internal query: until then nothing else may be sent on the connection. */
async function waitForAnswer(connection: PostgresConnection, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  await Promise.race([connection.settled(), aborted])
}

function noMatchingHost(wanted: unknown): Error {
  return Object.assign(new Error(`connect: no host matches target_session_attrs=${String(wanted)}`), { code: '08001' })
}
