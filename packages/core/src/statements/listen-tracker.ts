/**
 * Tracks whether a session listens for notifications, from the command tags of its statements
 * (https://www.postgresql.org/docs/current/sql-listen.html). Two LISTENs on the same channel count twice.
 */
export class ListenTracker {
  #channels = 0
  /** The channels before the open transaction: a rollback also reverts LISTEN. */
  #beforeTransaction: number | undefined

  get listening(): boolean {
    return this.#channels > 0
  }

  /** Call it when another caller gets the session: the LISTEN of the previous one no longer counts. */
  reset(): void {
    this.#channels = 0
    this.#beforeTransaction = undefined
  }

  /**
   * @param tag of CommandComplete.
   * @param text returns the text of the query; called only if the tag is not enough.
   */
  onCommandComplete(tag: string, text: () => string | null): void {
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
