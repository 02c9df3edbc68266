import type { OpenContext, ResourceFactory } from '../resource-factory.ts'

/** The resource of a {@link FakeFactory}. */
export interface FakeResource {
  readonly id: number
}

/** One call of `open`, which the test settles at any time. Rejects when its signal is aborted. */
export class FakeOpening {
  readonly resource: FakeResource
  readonly signal: AbortSignal
  readonly lost: (error?: unknown) => void
  readonly #outcome = Promise.withResolvers<FakeResource>()

  constructor(id: number, { signal, lost }: OpenContext) {
    this.resource = { id }
    this.signal = signal
    this.lost = lost
    signal.addEventListener('abort', () => this.#outcome.reject(signal.reason))
  }

  get promise(): Promise<FakeResource> {
    return this.#outcome.promise
  }

  succeed(): void {
    this.#outcome.resolve(this.resource)
  }

  fail(error: unknown): void {
    this.#outcome.reject(error)
  }
}

/** Opens plain objects. Every call succeeds immediately, unless a test replaces a handler. */
export class FakeFactory implements ResourceFactory<FakeResource> {
  /** Every call of `open` so far; a resource's `id` is its index. */
  readonly openings: FakeOpening[] = []
  readonly validated: number[] = []
  readonly resets: number[] = []
  /** In the order in which their closing began. */
  readonly closed: number[] = []

  onOpen: (opening: FakeOpening) => void = (opening) => opening.succeed()
  onValidate: (resource: FakeResource) => Promise<boolean> = async () => true
  onReset: (resource: FakeResource) => boolean | Promise<boolean> = () => true
  onClose: (resource: FakeResource) => Promise<void> = async () => {}

  open(context: OpenContext): Promise<FakeResource> {
    const opening = new FakeOpening(this.openings.length, context)
    this.openings.push(opening)
    this.onOpen(opening)
    return opening.promise
  }

  validate(resource: FakeResource): Promise<boolean> {
    this.validated.push(resource.id)
    return this.onValidate(resource)
  }

  reset(resource: FakeResource): boolean | Promise<boolean> {
    this.resets.push(resource.id)
    return this.onReset(resource)
  }

  close(resource: FakeResource): Promise<void> {
    this.closed.push(resource.id)
    return this.onClose(resource)
  }

  /** The call of `open` for the resource `id`, which must have begun. */
  opening(id: number): FakeOpening {
    const opening = this.openings[id]
    if (!opening) throw new Error(`only ${this.openings.length} openings have begun`)
    return opening
  }
}
