import type { KnownSecrets } from '../../known-secrets.ts'
import type { Activity, OpenContext, ResourceFactory, RunningQuery } from '../../pool/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { ServerDiscovery } from './server-discovery.ts'

/** A driver's factory whose connections are looked at when they come back, where a look is due. */
export class DiscoveringFactory<C> implements ResourceFactory<C> {
  readonly setIdle: ((connection: C, idle: boolean) => void) | undefined
  readonly #driver: GuardedDriver<C>
  readonly #surveyor: ServerDiscovery<C>
  readonly #secrets: KnownSecrets | undefined

  constructor(driver: GuardedDriver<C>, surveyor: ServerDiscovery<C>, secrets?: KnownSecrets) {
    this.#driver = driver
    this.#surveyor = surveyor
    this.#secrets = secrets
    this.setIdle = driver.factory.setIdle
  }

  async open(context: OpenContext): Promise<C> {
    try {
      return await this.#driver.factory.open(context)
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

  activity(connection: C): Activity {
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
    return this.#surveyor.due ? this.#meet(connection, fit) : fit
  }

  async #meet(connection: C, fit: boolean | Promise<boolean>): Promise<boolean> {
    if (!(await fit)) return false
    // With `resetOnRelease: 'off'` a transaction that was left open is the next borrower's.
    return this.#driver.isInTransaction(connection) || this.#surveyor.meet(connection)
  }
}
