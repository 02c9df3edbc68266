import { currentLabel, type Lease } from '@poolguard/core'
import type { Done, Question } from './protocol.ts'
import type { Asked, SqliteConnection } from './sqlite-connection.ts'

/** From so many on, another message costs less than waiting for the others. */
const MOST_PER_TURN = 16
/** Younger callers join those who wait already: so little do they lose of their time. */
const JOINABLE_MILLIS = 5

interface Turn {
  readonly since: number
  readonly asked: Asked[]
}

/**
 * Single statements on their way to a connection. Those that are known to be quick share one lease and one message where they
 * come together: a message to a thread costs more than such a statement. All others go alone, so that nobody waits for
 * them who need not.
 */
export class Turns {
  readonly #acquire: () => Promise<Lease<SqliteConnection>>
  /** Turns that wait for their connection and have room, by the label of their callers, whose waits are told apart. */
  readonly #open = new Map<string | undefined, Turn>()

  constructor(acquire: () => Promise<Lease<SqliteConnection>>) {
    this.#acquire = acquire
  }

  /** @param quick whether it may share a turn. */
  ask(question: Question, quick: boolean): Promise<Done> {
    const { promise, resolve, reject } = Promise.withResolvers<Done>()
    const asked = { question, resolve, reject }
    if (!quick) {
      this.#take({ since: 0, asked: [asked] }, undefined)
      return promise
    }
    const label = currentLabel()
    const now = performance.now()
    const open = this.#open.get(label)
    if (open && open.asked.length < MOST_PER_TURN && now - open.since < JOINABLE_MILLIS) {
      open.asked.push(asked)
      return promise
    }
    const turn = { since: now, asked: [asked] }
    this.#open.set(label, turn)
    // When all callbacks of this round of the event loop have been called, each of which may ask.
    setImmediate(() => this.#take(turn, label))
    return promise
  }

  #take(turn: Turn, label: string | undefined): void {
    const close = () => {
      if (this.#open.get(label) === turn) this.#open.delete(label)
    }
    this.#acquire().then(
      (lease) => {
        close()
        // Before those go on who were answered, the next turn gets the connection.
        lease.resource.askAll(turn.asked, () => lease.release())
      },
      (error) => {
        close()
        for (const { reject } of turn.asked) reject(error)
      },
    )
  }
}
