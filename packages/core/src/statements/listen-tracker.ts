/**
 * Whether a session listens for notifications, told by the command tags of what it has run
 * (https://www.postgresql.org/docs/current/sql-listen.html). A channel that is listened to twice counts twice.
 */
export class ListenTracker {
  #channels = 0
  /** Those from before the open transaction: one that is rolled back takes its LISTEN with it. */
  #beforeTransaction: number | undefined

  get listening(): boolean {
    return this.#channels > 0
  }

  /** The session has another borrower, who may not know of what it listens to. */
  reset(): void {
    this.#channels = 0
    this.#beforeTransaction = undefined
  }

  /**
   * @param tag of CommandComplete.
   * @param text of the query, asked for only where the tag does not say enough.
   */
  completed(tag: string, text: () => string | null): void {
    switch (tag) {
      case 'LISTEN':
        this.#channels++
        break
      case 'UNLISTEN':
        this.#channels = /\bunlisten\s*\*/i.test(text() ?? '*') ? 0 : Math.max(0, this.#channels - 1)
        break
      case 'DISCARD ALL':
        this.reset()
        break
      case 'BEGIN':
      case 'START TRANSACTION':
        this.#beforeTransaction = this.#channels
        break
      case 'ROLLBACK':
        this.#channels = this.#beforeTransaction ?? this.#channels
        this.#beforeTransaction = undefined
        break
      case 'COMMIT':
        this.#beforeTransaction = undefined
        break
    }
  }
}
