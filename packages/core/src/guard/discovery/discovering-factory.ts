import type { KnownSecrets } from '../../known-secrets.ts'
import type { LeaseActivity, OpenContext, ResourceFactory, RunningQuery } from '../../pool/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { preloadDetection } from './server-discovery.ts'

/** The part of a {@link PoolGuard} that inspects connections. */
export interface Inspector<C> {
  readonly isDiscoveryDue: boolean
  readonly lostStatements: { open(connect: () => Promise<C>): Promise<C> }
  inspect(connection: C): Promise<boolean>
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
      return await this.#inspector.lostStatements.open(() => this.#driver.factory.open(context))
    } catch (error) {
      throw this.#secrets ? this.#secrets.hideInError(error) : error
    }
  }

  close(connection: C): Promise<void> {
    return this.#driver.factory.close(connection)
  }

  async validate(connection: C): Promise<boolean> {
    return (await this.#driver.factory.validate?.(connection)) ?? true
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
    return this.#inspector.isDiscoveryDue ? this.#discover(connection, fit) : fit
  }

  async #discover(connection: C, fit: boolean | Promise<boolean>): Promise<boolean> {
    if (!(await fit)) return false
    // With `resetOnRelease: 'off'` the next caller gets the connection with its open transaction: do not run discovery in it.
    return this.#driver.isInTransaction(connection) || this.#inspector.inspect(connection)
  }
}
