import type { Submittable, WireConnection } from '../wire-client.ts'

type Row = readonly (string | null)[]

/**
 * Prepares a statement under a name, runs it and closes it, in one round trip; nothing of it is left behind, on a pooler
 * either. pg's own queries cannot do that: they keep what they have named.
 */
export class NamedProbe implements Submittable {
  /** pg puts one here where there is a `query_timeout`: it stops the timer, which would keep the process alive. */
  callback: ((error: Error | undefined) => void) | undefined = undefined
  readonly #name: string
  readonly #text: string
  readonly #rows: Row[] = []
  readonly #outcome = Promise.withResolvers<readonly Row[]>()
  #error: Error | undefined

  constructor(name: string, text: string) {
    this.#name = name
    this.#text = text
    // Whoever stopped waiting for it has been told already.
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

  /** After an error of the server ReadyForQuery still comes; after the loss of the connection nothing does. */
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
