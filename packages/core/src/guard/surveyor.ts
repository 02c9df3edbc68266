import { systemClock } from '../clock.ts'
import { runDetached } from '../pool/index.ts'
import { forgetTopology } from '../topology/index.ts'
import type { Survey } from './survey.ts'

/** After a look at the database that told nothing, the next one waits so long. */
const RESURVEY_MILLIS = 5_000

export interface SurveyorOptions {
  /** Looks at the other end, `afresh` whatever another pool of this process has found. */
  readonly survey: (afresh: boolean) => Promise<Survey>
  /** A survey has lined up for a connection, before the caller who has set it off. */
  readonly began: () => void
  readonly found: (found: Survey) => Promise<void>
  readonly failed: () => void
}

/** Knows what is at the other end, and when that has to be found out again. */
export class Surveyor {
  readonly #options: SurveyorOptions
  #found: Survey | undefined
  #surveying: Promise<void> | undefined
  #againAt = 0
  /** The other end has been away since it was looked at, and may have come back as another. */
  #outdated = false

  constructor(options: SurveyorOptions) {
    this.#options = options
  }

  /** What was found; undefined until it has been looked at. */
  get found(): Survey | undefined {
    return this.#found
  }

  /** Resolves when the survey that is under way is over, be it in vain. */
  async settled(): Promise<void> {
    await this.#surveying?.catch(() => {})
  }

  /** Waits until the other end has been looked at; `again` where that was before something has changed. */
  async ready(again: boolean): Promise<void> {
    if (!this.#found || again) await (this.#surveying ?? this.#start(again || this.#outdated))
  }

  /** A caller comes. Looks where that is due, and `again` where there is another reason to; not for this caller, who does not wait for it. */
  asked(again: boolean): void {
    if (this.#found?.capacity && !this.#outdated && !again) return
    if (this.#surveying || systemClock.now() < this.#againAt) return
    // A failure is told to whoever waits for a connection anyway; here it only means to look again later.
    this.#start(this.#outdated).catch(() => this.later())
  }

  /** What was found is not enough, but not to be had now. */
  later(): void {
    this.#againAt = systemClock.now() + RESURVEY_MILLIS
  }

  /** For the other pools of this process, too. */
  doubt(): void {
    this.#outdated = true
    this.forget()
  }

  forget(): void {
    if (this.#found?.peer !== undefined) forgetTopology(this.#found.peer)
  }

  #start(afresh: boolean): Promise<void> {
    // A doubt that arises from now on is about what is being looked at.
    this.#outdated = false
    // The request that happens to set it off is not to be blamed for it.
    const looking = runDetached(() => this.#options.survey(afresh))
    this.#options.began()
    this.#surveying = looking
      .then((found) => this.#adopt(found))
      .catch((error) => {
        this.#outdated ||= afresh
        this.#options.failed()
        throw error
      })
      .finally(() => {
        this.#surveying = undefined
      })
    return this.#surveying
  }

  async #adopt(found: Survey): Promise<void> {
    this.#found = found
    if (!found.capacity) this.later()
    await this.#options.found(found)
  }
}
