import type { PoolerConsole } from '../guarded-driver.ts'
import { closeConsole } from './pgbouncer-exchange.ts'

/** The connection that carries an instance's publication: one of the pool's, or behind PgBouncer one to its console. */
export class Publisher<C> {
  readonly #onLost: () => void
  #connection: C | PoolerConsole | undefined
  #console: PoolerConsole | undefined

  /** @param onLost called when the connection is being closed or was lost. */
  constructor(onLost: () => void) {
    this.#onLost = onLost
  }

  /** The connection to PgBouncer's console, if that carries the publication. */
  get console(): PoolerConsole | undefined {
    return this.#console
  }

  is(connection: C | PoolerConsole): boolean {
    return connection === this.#connection
  }

  /** Uses one of the pool's connections. */
  set(connection: C): void {
    this.#replace(connection, undefined)
  }

  /** Uses a connection to PgBouncer's console, and closes the one before. */
  setConsole(console: PoolerConsole): void {
    this.#replace(console, console)
  }

  clear(): void {
    this.#replace(undefined, undefined)
  }

  /** Call when a connection is being closed or was lost. */
  onClosing(connection: C | PoolerConsole): void {
    if (!this.is(connection)) return
    this.clear()
    this.#onLost()
  }

  #replace(connection: C | PoolerConsole | undefined, console: PoolerConsole | undefined): void {
    const before = this.#console
    this.#connection = connection
    if (before === console) return
    this.#console = console
    if (before) closeConsole(before)
    // The connection may already be closed.
    void console?.closed.then(() => this.onClosing(console))
  }
}
