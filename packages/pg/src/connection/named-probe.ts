import type { Submittable, WireConnection } from '../wire-client.ts'

type Row = readonly (string | null)[]

/**
 * Prepares a named statement, runs it and closes it in one round trip, so that the statement is left neither on the server nor in a
 * pooler. pg's own queries never close a named statement.
 */
export class NamedProbe implements Submittable {
  /** With a `query_timeout`, pg sets a callback that stops the timer; a running timer would keep the process alive. */
  callback: ((error: Error | undefined) => void) | undefined = undefined
  readonly #name: string
  readonly #text: string
  readonly #rows: Row[] = []
  readonly #outcome = Promise.withResolvers<readonly Row[]>()
  #error: Error | undefined

  constructor(name: string, text: string) {
    this.#name = name
    this.#text = text
    // A caller may have stopped waiting; without a handler the rejection would end the process.
    this.#outcome.promise.catch(() => {})
  }

  get rows(): Promise<readonly Row[]> {
    return this.#outcome.promise
  }

  submit(connection: unknown): void {
    const wire = connection as WireConnection
    wire.parse({ name: this.#name, text: this.#text, types: [] })
    wire.bind({ portal: '', statement: this.#name, values: [], binary: false })
    wire.execute({ portal: '', rows: 0 })
    wire.close({ type: 'S', name: this.#name })
    wire.sync()
  }

  handleDataRow({ fields }: { fields: readonly (string | Buffer | null)[] }): void {
    this.#rows.push(fields.map((field) => (field === null ? null : field.toString())))
  }

  handleReadyForQuery(): void {
    this.callback?.(this.#error)
    if (this.#error) this.#outcome.reject(this.#error)
    else this.#outcome.resolve(this.#rows)
  }

  /** After a server error, ReadyForQuery follows; after a lost connection nothing follows. */
  handleError(error: Error): void {
    this.#error = error
    this.#outcome.reject(error)
    this.callback?.(error)
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}
