import type { OpenContext } from '../../pool/index.ts'

/** Passes the loss of a connection on only if the pool gets that connection. */
export class LossUntilAccepted {
  readonly #context: OpenContext
  #isAccepted = false
  #loss: { readonly error: unknown } | undefined

  constructor(context: OpenContext) {
    this.#context = context
  }

  readonly report = (error?: unknown): void => {
    if (this.#isAccepted) this.#context.lost(error)
    else this.#loss ??= { error }
  }

  /** @throws the reason if the connection has been lost meanwhile. */
  accept(): void {
    if (this.#loss) throw this.#loss.error ?? new Error('the connection was lost while it was being opened')
    this.#isAccepted = true
  }
}
