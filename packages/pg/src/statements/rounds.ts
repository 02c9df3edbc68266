import type { PreparedText } from '@poolguard/core/adapter'
import type { RejectedQuery, SentQuery } from './sent-query.ts'
import type { TypeQuestion } from './type-question.ts'

/**
 * The messages up to one Sync, and what is known of their answers. In a pipeline, several rounds are unanswered at a time, and the
 * server answers them in order.
 */
export class Round {
  /** Set once the Sync was sent. */
  isComplete = false
  sent: SentQuery | undefined
  question: TypeQuestion | undefined
  rejected: RejectedQuery | undefined
  /** The query that this round sends again without a name. */
  retried: RejectedQuery | undefined
  /** The statement whose name this round uses in a transaction on trial. */
  onTrial: PreparedText | undefined

  endTrial(): void {
    this.onTrial?.endTrial()
    this.onTrial = undefined
  }
}

/** The rounds of a connection that are not answered, in order; the last one may be incomplete. */
export class Rounds {
  readonly #rounds: Round[] = []

  /** The round that is being sent. */
  get writing(): Round {
    const last = this.#rounds.at(-1)
    if (last && !last.isComplete) return last
    const round = new Round()
    this.#rounds.push(round)
    return round
  }

  /** The round that the server is answering. */
  get answering(): Round | undefined {
    return this.#rounds[0]
  }

  get isEmpty(): boolean {
    return this.#rounds.length === 0
  }

  /** The server has answered a round. */
  endAnswering(): void {
    this.#rounds.shift()
  }

  /** The connection has ended. Returns the rounds that will not be answered. */
  takeAll(): readonly Round[] {
    return this.#rounds.splice(0)
  }

  /** The server has rejected the Parse of a name: the queries behind it that use the name will be rejected, too. */
  orphan(name: string): void {
    for (const { sent } of this.#rounds) if (sent?.name === name) sent.orphaned = true
  }
}
