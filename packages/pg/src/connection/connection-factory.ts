import type { CloseReason } from '@poolguard/core'
import {
  type Activity,
  type AutomaticStatements,
  HookFailure,
  hideSecrets,
  type KnownSecrets,
  type OpenContext,
  type ResourceFactory,
  type RunningQuery,
  SessionHealth,
  type SessionStateCheck,
  SharedHealth,
  StartupParameters,
  watchPasswordFunction,
  withFreshPassword,
} from '@poolguard/core/adapter'
import type { PoolClient } from 'pg'
import { callBack } from '../call-app.ts'
import type { GuardedPoolConfig, Reset } from '../guarded-pool-config.ts'
import { watchQueries } from '../queries/watch-queries.ts'
import { prepareStatements } from '../statements/prepare-statements.ts'
import type { WireClient } from '../wire-client.ts'
import { containParserErrors } from './contain-parser-errors.ts'
import { PgConnection } from './pg-connection.ts'
import { repairClient } from './repair-client.ts'
import { admitStartupParameters } from './startup-parameters.ts'

/** Called at the steps of a connection's life. */
export interface ConnectionEvents {
  /** A connection is being opened. */
  opening(client: PoolClient): void
  /** A connection is open, and not lent yet. */
  connected(client: PoolClient): void
  /** A connection is closing and no longer lent; without a reason, opening it has failed. */
  gone(client: PoolClient, reason: CloseReason | undefined): void
  /** A connection is closed. */
  removed(client: PoolClient): void
  /** A connection was lost. */
  lost(connection: PgConnection, error: Error): void
}

export interface ConnectionFactoryOptions {
  /** What every client is made with. */
  readonly config: GuardedPoolConfig
  /** Instead of the config's, where the guard says so. Asked for every client. */
  readonly applicationName: () => string | undefined
  readonly makeClient: (config: GuardedPoolConfig) => WireClient
  readonly sessions: SessionStateCheck
  readonly statements: AutomaticStatements
  readonly events: ConnectionEvents
  /** Called when nothing but the login was sent on a connection. Rejects if the connection was lost meanwhile. */
  readonly meet: (connection: PgConnection) => Promise<unknown>
  /** A connection came back with a transaction open, after this text. */
  readonly leftInTransaction: (lastText: string) => void
  readonly warn: (message: string) => void
  /** Where the passwords of a function are added. */
  readonly secrets: KnownSecrets
}

/** Opens, checks, cleans and closes connections through pg's own client. */
export class ConnectionFactory implements ResourceFactory<PgConnection> {
  readonly #options: ConnectionFactoryOptions
  readonly #config: GuardedPoolConfig
  readonly #parameters: StartupParameters
  readonly #health = new SharedHealth()
  /** Only with `allowExitOnIdle`: an idle connection keeps no process alive. */
  readonly setIdle: ((connection: PgConnection, idle: boolean) => void) | undefined

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options
    this.#config = withWatchedPassword(options.config, options.secrets)
    this.#parameters = new StartupParameters(options.warn)
    this.setIdle = options.config.allowExitOnIdle
      ? ({ client }, idle) => (idle ? client.unref() : client.ref())
      : undefined
  }

  open(context: OpenContext): Promise<PgConnection> {
    if (typeof this.#config.password !== 'function') return this.#connect(context)
    return withFreshPassword(() => this.#connect(context), context.signal)
  }

  /** A startup parameter that the other end refuses is left out, and the login tried again. */
  async #connect(context: OpenContext): Promise<PgConnection> {
    for (;;) {
      context.signal.throwIfAborted()
      const client = this.#options.makeClient(named(this.#config, this.#options.applicationName()))
      if (!client.connection) return await refuse(client)
      containParserErrors(client.connection)
      // A client is what listeners of the pool's events are given, and they may log it.
      hideSecrets(client.connectionParameters)
      const sent = admitStartupParameters(client, this.#parameters)
      try {
        return await this.#login(client, context)
      } catch (error) {
        // Once logged in, it was a hook's.
        const refused = !client.processID && this.#parameters.learn(error, sent)
        if (!refused) throw error
      }
    }
  }

  async #login(client: WireClient, { signal, lost }: OpenContext): Promise<PgConnection> {
    const { clientPerCheckout = true } = this.#config
    const connection = new PgConnection(client, new SessionHealth(this.#health, performance.now()), clientPerCheckout)
    watchQueries(connection, this.#options.sessions)
    connection.sent = prepareStatements(client, this.#options.statements)
    const { client: poolClient } = connection.firstCheckout
    this.#options.events.opening(poolClient)
    let loggedIn = false
    let connected = false
    let announced = false
    connection.onError((error) => {
      if (!connected) return
      lost(connection.fatalError.reason(error))
      // Afterwards, so that whoever hears of it does not get this one again.
      this.#options.events.lost(connection, error)
    })
    client.once('end', () => {
      if (connected) lost()
    })
    const abort = () => client.connection.stream.destroy(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await callBack(client, 'connect')
      loggedIn = true
      // What is asked may still be unanswered: pg sends the caller's queries after that.
      await this.#options.meet(connection)
      connected = true
      await this.#callOnConnect(connection)
      announced = true
      await this.#announce(poolClient)
      return connection
    } catch (error) {
      this.#options.events.gone(poolClient, undefined)
      if (announced) await this.close(connection)
      else if (loggedIn) await connection.end()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #callOnConnect({ firstCheckout, client }: PgConnection): Promise<void> {
    try {
      await this.#config.onConnect?.(firstCheckout.client)
    } catch (error) {
      // A connection that was lost meanwhile is no fault of the hook's.
      throw client._queryable ? new HookFailure(error) : error
    }
  }

  async #announce(client: PoolClient): Promise<void> {
    try {
      this.#options.events.connected(client)
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

  gone(connection: PgConnection, reason: CloseReason): void {
    this.#options.events.gone(connection.firstCheckout.client, reason)
  }

  async close(connection: PgConnection): Promise<void> {
    await connection.end()
    this.#options.events.removed(connection.firstCheckout.client)
  }

  /** An empty query: the least that a server answers. */
  async validate({ client }: PgConnection): Promise<boolean> {
    await client.query('')
    return true
  }

  activity(connection: PgConnection): Activity {
    return connection.activity
  }

  runningQuery(connection: PgConnection): RunningQuery | undefined {
    return connection.runningQuery
  }

  isListening({ listening }: PgConnection): boolean {
    return listening.listening
  }

  reset(connection: PgConnection): boolean | Promise<boolean> {
    if (!connection.usable) return false
    const { resetOnRelease: wished = 'rollback' } = this.#options.config
    const reset = wished === 'discard' && !this.#options.sessions.keepsSession ? 'rollback' : wished
    const isClean = connection.isClean(reset) && repairClient(connection.client)
    if (isClean && connection.health.isFine) return true
    return this.#cleanUp(connection, isClean ? undefined : reset)
  }

  async #cleanUp(connection: PgConnection, reset: Reset | undefined): Promise<boolean> {
    if (reset !== undefined && !(await connection.reset(reset, this.#options.leftInTransaction))) return false
    const { health } = connection
    // With `resetOnRelease: 'off'` a transaction that was left open is the next borrower's.
    if (health.isFine || connection.inTransaction) return true
    return !(await health.isSick(async (text) => (await connection.askRow(text))?.[0], performance.now()))
  }
}

function withWatchedPassword(config: GuardedPoolConfig, secrets: KnownSecrets): GuardedPoolConfig {
  const { password } = config
  if (typeof password !== 'function') return config
  return { ...config, password: watchPasswordFunction(password, (found) => secrets.add(found)) } as GuardedPoolConfig
}

/** Fails as the client does where that cannot connect, and else because there is no wire to read. */
async function refuse(client: WireClient): Promise<never> {
  await callBack(client, 'connect')
  await callBack(client, 'end')
  throw new Error('pg.native is not supported: give GuardedPool the JavaScript client of pg')
}

/** A fleet knows its members by the name of their connections. */
function named(config: GuardedPoolConfig, applicationName: string | undefined): GuardedPoolConfig {
  if (applicationName === undefined) return config
  return { ...config, password: config.password, application_name: applicationName } as GuardedPoolConfig
}
