import type { CloseReason } from '@poolguard/core'
import {
  type AutomaticStatements,
  HookFailure,
  hideSecrets,
  type InsightRecorder,
  type LeaseActivity,
  type OpenContext,
  type RunningQuery,
  type ServerAddress,
  type ServerConnections,
  type SessionStateCheck,
  type UseCredentials,
} from '@poolguard/core/adapter'
import { SessionHealth, SharedHealth, StartupParameters } from '@poolguard/core/connection'
import type { PoolClient } from 'pg'
import { callBack } from '../call-app.ts'
import type { GuardedPoolConfig, Reset } from '../guarded-pool-config.ts'
import { watchQueries } from '../queries/watch-queries.ts'
import { prepareStatements } from '../statements/prepare-statements.ts'
import type { WireClient } from '../wire-client.ts'
import type { ClientFactory } from './client-factory.ts'
import { containParserErrors } from './contain-parser-errors.ts'
import { PgConnection } from './pg-connection.ts'
import { repairClient } from './repair-client.ts'
import { admitStartupParameters } from './startup-parameters.ts'

/** Callbacks during a connection's lifecycle. */
export interface ConnectionEvents {
  /** A connection is being opened. */
  onOpening(client: PoolClient): void
  /** A connection is open and not acquired yet. */
  onConnected(client: PoolClient): void
  /** A connection is closing and can no longer be acquired. `reason` is undefined if opening it failed. */
  onClosing(client: PoolClient, reason: CloseReason | undefined): void
  /** A connection has closed. */
  onRemoved(client: PoolClient): void
  /** An open connection was lost. */
  onLost(connection: PgConnection, error: Error): void
}

export interface ConnectionFactoryOptions {
  readonly config: GuardedPoolConfig
  readonly clients: ClientFactory
  readonly sessions: SessionStateCheck
  readonly statements: AutomaticStatements
  readonly events: ConnectionEvents
  /** Called right after the login, before anything else is sent. Rejects if the connection is lost meanwhile. */
  readonly inspect: (connection: PgConnection) => Promise<unknown>
  /** Called when the server has reported a parameter. */
  readonly onReported: (connection: PgConnection) => void
  /** Called if a connection is released inside a transaction, with the text of its last query. */
  readonly leftInTransaction: (lastText: string) => void
  readonly warn: (message: string) => void
  /** Measures where the time of connections goes. */
  readonly insight: InsightRecorder<PgConnection> | undefined
}

/** Opens, validates, resets and closes connections with pg's client. */
export class ConnectionFactory implements ServerConnections<PgConnection> {
  readonly #options: ConnectionFactoryOptions
  readonly #config: GuardedPoolConfig
  readonly #clients: ClientFactory
  readonly #parameters: StartupParameters
  readonly #health = new SharedHealth()
  /** Set with `allowExitOnIdle`: an idle connection does not keep the process alive. */
  readonly setIdle: ((connection: PgConnection, idle: boolean) => void) | undefined

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options
    this.#config = options.config
    this.#clients = options.clients
    this.#parameters = new StartupParameters(options.warn)
    this.setIdle = options.config.allowExitOnIdle
      ? ({ client }, idle) => (idle ? client.unref() : client.ref())
      : undefined
  }

  open(context: OpenContext, server?: ServerAddress): Promise<PgConnection> {
    return this.#clients.withCredentials(context.signal, (use) => this.#connect(context, server, use))
  }

  /** If the server or pooler rejects a startup parameter, retries the login without that parameter. */
  async #connect(context: OpenContext, server?: ServerAddress, use?: UseCredentials): Promise<PgConnection> {
    for (;;) {
      context.signal.throwIfAborted()
      const config = use ? await this.#clients.configWith(use, server) : this.#clients.configAt(server)
      const client = this.#clients.create(config)
      if (!client.connection) return await rejectNativeClient(client)
      containParserErrors(client.connection)
      // Listeners of the pool's events get the client and may log it.
      hideSecrets(client.connectionParameters)
      const sent = admitStartupParameters(client, this.#parameters)
      try {
        return await this.#login(client, context, server)
      } catch (error) {
        // After the login (`processID` is set) the error came from a hook, not from a startup parameter.
        const canRetry = !client.processID && this.#parameters.learn(error, sent)
        if (!canRetry) throw error
      }
    }
  }

  /** See `GuardedDriver.answerToParameter`. */
  async answerToParameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    const client = this.#clients.create(await this.#clients.loginConfig())
    const parameters = client.getStartupConf()
    client.getStartupConf = () => ({ ...parameters, [name]: '1' })
    client.on('error', () => {})
    const abort = () => client.connection.stream.destroy()
    signal.addEventListener('abort', abort, { once: true })
    try {
      await callBack(client, 'connect')
      return undefined
    } catch (error) {
      return (error as Error).message
    } finally {
      signal.removeEventListener('abort', abort)
      if (client._queryable) await callBack(client, 'end').catch(() => {})
      client.connection.stream.destroy()
    }
  }

  async #login(
    client: WireClient,
    { signal, lost }: OpenContext,
    server: ServerAddress | undefined,
  ): Promise<PgConnection> {
    const { clientPerCheckout = true } = this.#config
    const health = new SessionHealth(this.#health, performance.now())
    const connection = new PgConnection({ client, server, health, clientPerCheckout, insight: this.#options.insight })
    client.connection.on('parameterStatus', () => this.#options.onReported(connection))
    watchQueries(connection, this.#options.sessions)
    connection.sent = prepareStatements(client, this.#options.statements)
    const { client: poolClient } = connection.firstCheckout
    this.#options.events.onOpening(poolClient)
    let loggedIn = false
    let connected = false
    let announced = false
    connection.onError((error) => {
      if (!connected) return
      lost(connection.fatalError.reason(error))
      // After `lost`, so that a listener that acquires a connection does not get the lost one.
      this.#options.events.onLost(connection, error)
    })
    client.once('end', () => {
      if (connected) lost()
    })
    const abort = () => client.connection.stream.destroy(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await callBack(client, 'connect')
      loggedIn = true
      // An answer may still be pending: pg queues the caller's queries behind it.
      await this.#options.inspect(connection)
      connected = true
      await this.#callOnConnect(connection)
      announced = true
      await this.#announce(poolClient)
      return connection
    } catch (error) {
      this.#options.events.onClosing(poolClient, undefined)
      if (announced) await this.close(connection)
      else if (loggedIn) await connection.end()
      // After an error of its own, such as a missing password, pg leaves the socket open until the server's timeout.
      else client.connection.stream.destroy()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #callOnConnect({ firstCheckout, client }: PgConnection): Promise<void> {
    try {
      await this.#config.onConnect?.(firstCheckout.client)
    } catch (error) {
      // If the connection was lost meanwhile, the hook is not to blame.
      throw client._queryable ? new HookFailure(error) : error
    }
  }

  async #announce(client: PoolClient): Promise<void> {
    try {
      this.#options.events.onConnected(client)
      await this.#verify(client)
    } catch (error) {
      throw new HookFailure(error)
    }
  }

  #verify(client: PoolClient): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#config.verify) resolve()
      else this.#config.verify(client, (error) => (error ? reject(error) : resolve()))
    })
  }

  onClosing(connection: PgConnection, reason: CloseReason): void {
    this.#options.events.onClosing(connection.firstCheckout.client, reason)
  }

  async close(connection: PgConnection): Promise<void> {
    await connection.end()
    this.#options.events.onRemoved(connection.firstCheckout.client)
  }

  /** Sends an empty query, the cheapest round trip. */
  async validate({ client }: PgConnection): Promise<boolean> {
    await client.query('')
    return true
  }

  activity(connection: PgConnection): LeaseActivity {
    return connection.activity
  }

  runningQuery(connection: PgConnection): RunningQuery | undefined {
    return connection.runningQuery
  }

  isListening({ listening }: PgConnection): boolean {
    return listening.listening
  }

  reset(
    connection: PgConnection,
    leftInTransaction: (lastText: string) => void = this.#options.leftInTransaction,
  ): boolean | Promise<boolean> {
    if (!connection.usable) return false
    if (connection.callerAbort.delaysNextCaller) return this.#resetAfterCancelling(connection)
    const { resetOnRelease: configured = 'rollback' } = this.#options.config
    const reset = configured === 'discard' && !this.#options.sessions.keepsSession ? 'rollback' : configured
    const isClean = connection.isClean(reset) && repairClient(connection.client)
    if (isClean && connection.health.isFine) return true
    return this.#cleanUp(connection, isClean ? undefined : reset, leftInTransaction)
  }

  async #resetAfterCancelling(connection: PgConnection): Promise<boolean> {
    // The caller is not to blame for a transaction in which poolguard has cancelled a statement.
    return (await connection.callerAbort.afterCancelling()) && (await this.reset(connection, () => {}))
  }

  async #cleanUp(
    connection: PgConnection,
    reset: Reset | undefined,
    leftInTransaction: (lastText: string) => void,
  ): Promise<boolean> {
    if (reset !== undefined && !(await connection.reset(reset, leftInTransaction))) return false
    const { health } = connection
    // With `resetOnRelease: 'off'` an open transaction passes to the next caller, so no query may be sent here.
    if (health.isFine || connection.inTransaction) return true
    return !(await health.isSick(async (text) => (await connection.askRow(text))?.[0], performance.now()))
  }
}

/** Rejects with the client's connect error if it cannot connect; otherwise because pg.native exposes no protocol messages. */
async function rejectNativeClient(client: WireClient): Promise<never> {
  await callBack(client, 'connect')
  await callBack(client, 'end')
  throw new Error('pg.native is not supported. Use the JavaScript client: guardPoolClass(pg.Pool), not pg.native.Pool')
}
