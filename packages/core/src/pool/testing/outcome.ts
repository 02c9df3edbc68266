/** The state of a promise, which a test can read without awaiting it. */
export class Outcome<T> {
  value: T | undefined
  error: unknown
  state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  settlements = 0

  constructor(promise: Promise<T>) {
    promise.then(
      (value) => {
        this.value = value
        this.#settle('fulfilled')
      },
      (error) => {
        this.error = error
        this.#settle('rejected')
      },
    )
  }

  #settle(state: 'fulfilled' | 'rejected'): void {
    this.state = state
    this.settlements++
  }
}
