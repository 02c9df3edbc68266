import type {
  AutomaticStatements,
  ConsoleOptions,
  CredentialSource,
  InsightRecorder,
  LeaseActivity,
  Login,
  OpenContext,
  PoolerConsole,
  RunningQuery,
  ServerAddress,
  ServerConnections,
  UseCredentials,
} from '@poolguard/core/adapter'
import { comesToRest, SessionHealth, SharedHealth, StartupParameters } from '@poolguard/core/connection'
import type { ParsedOptions } from '../internals.ts'
import { ArrayTypes } from './array-types.ts'
import { type Endpoint, endpointAt, endpointOf } from './dial.ts'
import { type Credentials, openConnection } from './open-connection.ts'
import { PgBouncerConsole } from './pgbouncer-console.ts'
import type { PostgresConnection } from './postgres-connection.ts'

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
  /** Called when the server has reported a parameter after the login. */
  readonly onReported: (connection: PostgresConnection) => void
  /** True if there is no pooler between the pool and PostgreSQL. */
  readonly isDirect: () => boolean
  /** Called if a connection is released inside a transaction. */
  readonly leftInTransaction: () => void
  readonly warn: (message: string) => void
  /** Measures where the time of connections goes. */
  readonly insight: InsightRecorder<PostgresConnection> | undefined
  /** Set if a function of the app or the password file returns the password. */
  readonly credentials: CredentialSource | undefined
}

/** Opens, validates, resets and closes connections of postgres.js. */
export class ConnectionFactory implements ServerConnections<PostgresConnection> {
  readonly #options: ConnectionFactoryOptions
  /** The address in the options of postgres(). */
  readonly #endpoint: Endpoint
  readonly #arrayTypes: ArrayTypes | undefined
  readonly #parameters: StartupParameters
  readonly #health = new SharedHealth()
  /** The user of the last login. */
  #user: string

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options
    this.#endpoint = endpointOf(options.shared)
    this.#parameters = new StartupParameters(options.warn)
    this.#user = options.shared.user
    this.#arrayTypes = options.fetchTypes ? new ArrayTypes(options.shared, options.warn) : undefined
  }

  async open({ signal, lost }: OpenContext, server?: ServerAddress): Promise<PostgresConnection> {
    const endpoint = server ? endpointAt(server) : this.#endpoint
    let isOpen = true
    const connection = await this.#openAt(endpoint, { signal, lost: (error) => isOpen && lost(error) })
    try {
      await this.#prepare(connection, signal)
      return connection
    } catch (error) {
      isOpen = false
      await this.close(connection)
      throw error
    }
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
    return { user: this.#user, password: answer.password ?? '' }
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
    const { shared, prepares, statements, isDirect, insight, onReported } = this.#options
    const options = {
      ...login,
      ...{ shared, prepares, statements, isDirect, insight },
      health: new SessionHealth(this.#health, performance.now()),
      onParameterStatus: (name: string, value: string) => this.#onParameterStatus(name, value),
      onReported,
      onClosed: (id: number) => shared.onclose?.(id),
    }
    return openConnection(options, context)
  }

  /** See `GuardedDriver.answerToParameter`. */
  async answerToParameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    const endpoint = this.#endpoint
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
    if (connection.callerAbort.delaysNextCaller) return this.#resetAfterCancelling(connection)
    if (busy || inTransaction || cancelling || !health.isFine) return this.#cleanUp(connection)
    connection.endsTransactions = false
    return true
  }

  async #resetAfterCancelling(connection: PostgresConnection): Promise<boolean> {
    if (!(await connection.callerAbort.afterCancelling())) return false
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
