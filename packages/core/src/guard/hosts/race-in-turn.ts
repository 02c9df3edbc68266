import type { Clock } from '../../clock.ts'

export interface RaceInTurn<T> {
  readonly count: number
  /** Makes one attempt. The signal is aborted if another attempt has won. */
  readonly attempt: (index: number, signal: AbortSignal) => Promise<T>
  /** True for an error after which no further attempt is made. */
  readonly isFinal: (error: unknown) => boolean
  /** True for an error after which the same attempt is made again while others have not been answered. */
  readonly mayRepeat: (error: unknown) => boolean
  /** After this long without an answer, the next attempt starts as well. */
  readonly patienceMillis: number
  readonly clock: Clock
}

export interface Winner<T> {
  readonly value: T
  /** The attempts that had more than `patienceMillis` and did not answer. */
  readonly unanswered: readonly number[]
}

/** Every attempt has failed. */
export interface AllFailed {
  /** The error of each attempt. */
  readonly failures: readonly unknown[]
}

/**
 * Makes attempts one after another: the next one starts when the one before has failed or takes too long. The first that succeeds
 * wins; the others are aborted.
 *
 * @throws a final error.
 */
export function raceInTurn<T>(race: RaceInTurn<T>): Promise<Winner<T> | AllFailed> {
  const { promise, resolve, reject } = Promise.withResolvers<Winner<T> | AllFailed>()
  const running = new Map<number, AbortController>()
  const failures: unknown[] = []
  let next = 0
  let isOver = false
  let cancelTimer = () => {}

  const end = () => {
    isOver = true
    cancelTimer()
    for (const controller of running.values()) controller.abort(new Error('another server has answered first'))
  }
  const onFailure = (index: number, error: unknown) => {
    failures[index] = error
    if (race.isFinal(error)) {
      end()
      reject(error)
    } else if (next < race.count) startNext()
    else if (running.size === 0) resolve({ failures })
    else if (race.mayRepeat(error)) start(index)
  }
  const startNext = () => {
    cancelTimer()
    const index = next++
    if (next < race.count) cancelTimer = race.clock.after(race.patienceMillis, startNext)
    start(index)
  }
  const start = (index: number) => {
    const controller = new AbortController()
    running.set(index, controller)
    race.attempt(index, controller.signal).then(
      (value) => {
        running.delete(index)
        if (isOver) return
        const unanswered = [...running.keys()].filter((each) => each < index)
        end()
        resolve({ value, unanswered })
      },
      (error) => {
        running.delete(index)
        if (!isOver) onFailure(index, error)
      },
    )
  }
  startNext()
  return promise
}
