import type { LeaseActivity, OpenContext, ResourceFactory, RunningQuery } from '../pool/index.ts'

/**
 * The factory of a pool that loads the code for its connections while it opens the first one. Everything else needs a connection, so the code
 * is there by then.
 */
export class LoadingFactory<C> implements ResourceFactory<C> {
  readonly #load: () => Promise<ResourceFactory<C>>
  #loaded: ResourceFactory<C> | undefined

  /** @param load is called again if it has failed. */
  constructor(load: () => Promise<ResourceFactory<C>>) {
    this.#load = load
  }

  async open(context: OpenContext): Promise<C> {
    this.#loaded ??= await this.#load()
    context.signal.throwIfAborted()
    return await this.#loaded.open(context)
  }

  async close(connection: C): Promise<void> {
    await this.#loaded?.close(connection)
  }

  async validate(connection: C): Promise<boolean> {
    return (await this.#loaded?.validate?.(connection)) ?? true
  }

  activity(connection: C): LeaseActivity {
    return this.#loaded?.activity?.(connection) ?? 0
  }

  runningQuery(connection: C): RunningQuery | undefined {
    return this.#loaded?.runningQuery?.(connection)
  }

  isListening(connection: C): boolean {
    return this.#loaded?.isListening?.(connection) ?? false
  }

  setIdle(connection: C, idle: boolean): void {
    this.#loaded?.setIdle?.(connection, idle)
  }

  reset(connection: C): boolean | Promise<boolean> {
    return this.#loaded?.reset?.(connection) ?? true
  }
}
