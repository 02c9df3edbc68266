import { withTimeout } from '../../clock.ts'
import { type FleetView, pooledName } from '../../fleet/index.ts'
import type { Lease, Pool } from '../../pool/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { ConsoleOptions, GuardedDriver, PoolerConsole } from '../guarded-driver.ts'
import type { FleetWarnings } from './fleet-warnings.ts'
import { exchangeThroughPooler } from './pgbouncer-exchange.ts'
import type { Publisher } from './publisher.ts'
import { type ExchangeQuery, exchangeWithServer, type ServerExchangeOptions } from './server-exchange.ts'

/** Timeout for each answer of the server. The server's own limits on an exchange are shorter. */
const ANSWER_TIMEOUT_MILLIS = 5_000

export interface FleetExchangeOptions<C> {
  /** `app#id`. */
  readonly member: string
  readonly fleet: FleetOptions
  readonly engine: Pool<C>
  readonly driver: GuardedDriver<C>
  readonly publisher: Publisher<C>
  readonly warnings: FleetWarnings
  /** Called when PgBouncer's console shows the other instances. */
  readonly onVisible: () => void
  /** Called after an exchange through a pooler. */
  readonly onExchanged: () => void
}

/** Runs a fleet's exchanges: on a connection to the server, or through a pooler and its console. */
export class FleetExchange<C> {
  readonly #options: FleetExchangeOptions<C>

  constructor(options: FleetExchangeOptions<C>) {
    this.#options = options
  }

  /**
   * Runs one exchange, and releases the lease. Resolves when the name that `decide` returns is published.
   *
   * @param kind of the topology: a pooler's console shows the instances instead of the server.
   */
  async run(lease: Lease<C>, decide: (view: FleetView) => string, kind: Topology['kind']): Promise<void> {
    const { driver, publisher, warnings } = this.#options
    const connection = lease.resource
    if (driver.isInTransaction(connection)) {
      lease.release()
      throw new TransactionLeftOpen()
    }
    let carrier: C | PoolerConsole
    let begun = false
    const query = (text: string) => {
      begun = true
      return this.#query(connection, text)
    }
    try {
      carrier =
        kind === 'pooler'
          ? await this.#throughPooler(connection, query, decide)
          : await this.#withServer(lease, query, decide)
    } catch (error) {
      if (begun) await this.#rollBack(lease, error)
      throw error
    } finally {
      lease.release()
    }
    warnings.onExchanged()
    // The pool may have closed the connection meanwhile, for example at its maximum lifetime.
    if (!publisher.is(carrier)) throw new Error('the connection that was to carry the publication is closed')
  }

  async #rollBack(lease: Lease<C>, error: unknown): Promise<void> {
    // A server that did not answer the exchange would not answer a rollback either.
    if (error instanceof AnswerTimeout || (error as Error).cause instanceof AnswerTimeout) lease.destroy()
    else await this.#query(lease.resource, 'rollback').catch(() => lease.destroy())
  }

  async #withServer(lease: Lease<C>, query: ExchangeQuery, decide: (view: FleetView) => string): Promise<C> {
    const { member, publisher } = this.#options
    const connection = lease.resource
    const hasEarlierNames = await exchangeWithServer({ member, query, ...this.#trust }, decide)
    if (lease.active) publisher.set(connection)
    if (hasEarlierNames) this.#replaceEarlier()
    return connection
  }

  /**
   * Connections that were opened before the server was known, as with the static limit, have the pooled name: other instances count them
   * twice, as connections of other clients and in this instance's figures. They are closed at their release or now, and opened again when needed.
   */
  #replaceEarlier(): void {
    const { member, engine, driver } = this.#options
    const earlierName = pooledName(member)
    engine.retire((connection) => driver.parameterOf(connection, 'application_name') === earlierName)
  }

  async #throughPooler(
    connection: C,
    query: ExchangeQuery,
    decide: (view: FleetView) => string,
  ): Promise<PoolerConsole> {
    const { member, driver, engine, fleet, publisher, onVisible, onExchanged } = this.#options
    const exchange = {
      member,
      query,
      openConsole: (options: Omit<ConsoleOptions, 'url'>) =>
        driver.openConsole(connection, { url: fleet.consoleUrl, ...options }),
      publisher: publisher.console,
      open: () => engine.counts.idle + engine.counts.active,
      login: driver.loginOf(connection),
      ...this.#trust,
    }
    const console = await exchangeThroughPooler(exchange, (view) => {
      onVisible()
      return decide(view)
    })
    onExchanged()
    publisher.setConsole(console)
    // All connections may have been lost during the exchange.
    if (engine.counts.total === 0) publisher.clear()
    return console
  }

  get #trust(): Pick<ServerExchangeOptions, 'trustedRoles' | 'onIgnored'> {
    const { fleet, warnings } = this.#options
    return { trustedRoles: fleet.trustedRoles ?? [], onIgnored: (connections) => warnings.warnIgnored(connections) }
  }

  #query(connection: C, text: string): Promise<string | null | undefined> {
    return withTimeout(
      this.#options.driver.queryValue(connection, text),
      ANSWER_TIMEOUT_MILLIS,
      () => new AnswerTimeout(),
    )
  }
}

class AnswerTimeout extends Error {
  static {
    AnswerTimeout.prototype.name = 'AnswerTimeout'
  }

  constructor() {
    super(`the server did not answer within ${ANSWER_TIMEOUT_MILLIS} ms`)
  }
}

/** With `resetOnRelease: 'off'` an exchange would commit the transaction that a caller has left open. */
export class TransactionLeftOpen extends Error {
  static {
    TransactionLeftOpen.prototype.name = 'TransactionLeftOpen'
  }

  constructor() {
    super("a caller released a connection with an open transaction, and resetOnRelease is 'off'")
  }
}
