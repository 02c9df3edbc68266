import type { KnownSecrets } from '../../known-secrets.ts'
import type { LeaseActivity, OpenContext, ResourceFactory, RunningQuery } from '../../pool/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { preloadDetection } from './server-discovery.ts'

/** The part of a {@link PoolGuard} that inspects connections. */
export interface Inspector<C> {
  readonly isDiscoveryDue: boolean
  readonly lostStatements: { open(connect: () => Promise<C>): Promise<C> }
  inspect(connection: C): Promise<boolean>
  readonly servers: ServerConnections<C>
}

/** The part of a {@link ServerChoice} that opens, validates and closes connections. */
interface ServerConnections<C> {
  open(context: OpenContext): Promise<C>
  validate(connection: C): Promise<boolean>
  close(connection: C): Promise<void>
  /** False if the server of a connection is no longer one that the pool uses. */
  isFit(connection: C): boolean
}

/** Wraps a driver's factory: when discovery is due, it runs on connections that are released. */
export class DiscoveringFactory<C> implements ResourceFactory<C> {
  readonly setIdle: ((connection: C, idle: boolean) => void) | undefined
  readonly #driver: GuardedDriver<C>
  readonly #inspector: Inspector<C>
  readonly #secrets: KnownSecrets | undefined

  constructor(driver: GuardedDriver<C>, inspector: Inspector<C>, secrets?: KnownSecrets) {
    this.#driver = driver
    this.#inspector = inspector
    this.#secrets = secrets
    this.setIdle = driver.factory.setIdle
  }

  async open(context: OpenContext): Promise<C> {
    if (this.#inspector.isDiscoveryDue) preloadDetection()
    try {
      return await this.#inspector.lostStatements.open(() => this.#inspector.servers.open(context))
    } catch (error) {
      throw this.#secrets ? this.#secrets.hideInError(error) : error
    }
  }

  close(connection: C): Promise<void> {
    return this.#inspector.servers.close(connection)
  }

  validate(connection: C): Promise<boolean> {
    return this.#inspector.servers.validate(connection)
  }

  activity(connection: C): LeaseActivity {
    return this.#driver.factory.activity?.(connection) ?? 0
  }

  runningQuery(connection: C): RunningQuery | undefined {
    return this.#driver.factory.runningQuery?.(connection)
  }

  isListening(connection: C): boolean {
    return this.#driver.factory.isListening?.(connection) ?? false
  }

  reset(connection: C): boolean | Promise<boolean> {
    const fit = this.#driver.factory.reset?.(connection) ?? true
    if (this.#inspector.isDiscoveryDue) return this.#discover(connection, fit)
    // After the reset: the server reports a change with the answer that the reset waits for.
    return typeof fit === 'boolean' ? fit && this.#inspector.servers.isFit(connection) : this.#atHome(connection, fit)
  }

  async #atHome(connection: C, fit: boolean | Promise<boolean>): Promise<boolean> {
    return (await fit) && this.#inspector.servers.isFit(connection)
  }

  async #discover(connection: C, fit: boolean | Promise<boolean>): Promise<boolean> {
    if (!(await this.#atHome(connection, fit))) return false
    // With `resetOnRelease: 'off'` the next caller gets the connection with its open transaction: do not run discovery in it.
    return this.#driver.isInTransaction(connection) || this.#inspector.inspect(connection)
  }
}
