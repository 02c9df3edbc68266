import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../pool/testing/manual-clock.ts'
import { raceInTurn } from './race-in-turn.ts'

/** Attempts that the test settles. */
function makeRace(count: number) {
  const clock = new ManualClock()
  const attempts: (PromiseWithResolvers<string> & { readonly signal: AbortSignal })[] = []
  const winner = raceInTurn({
    count,
    attempt: (_index, signal) => {
      const attempt = { ...Promise.withResolvers<string>(), signal }
      attempts.push(attempt)
      return attempt.promise
    },
    isFinal: (error) => (error as Error).message === 'final',
    mayRepeat: (error) => (error as Error).message === 'not yet',
    patienceMillis: 500,
    clock,
  })
  winner.catch(() => {})
  return { clock, attempts, winner }
}

describe('a race in turn', () => {
  test('makes one attempt if the first succeeds', async () => {
    const { attempts, winner } = makeRace(2)
    attempts[0]?.resolve('one')
    expect(await winner).toEqual({ value: 'one', unanswered: [] })
    expect(attempts).toHaveLength(1)
  })

  test('makes the next attempt as soon as one has failed', async () => {
    const { attempts, winner } = makeRace(2)
    attempts[0]?.reject(new Error('refused'))
    await expect.poll(() => attempts).toHaveLength(2)
    attempts[1]?.resolve('two')
    expect(await winner).toEqual({ value: 'two', unanswered: [] })
  })

  test('does not wait for an attempt that takes long, aborts it when another has won, and names it', async () => {
    const { clock, attempts, winner } = makeRace(3)
    await clock.advance(499)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    expect(attempts).toHaveLength(2)
    attempts[1]?.resolve('two')
    expect(await winner).toEqual({ value: 'two', unanswered: [0] })
    expect(attempts[0]?.signal.aborted).toBe(true)
    await clock.advance(5_000)
    expect(attempts).toHaveLength(2)
  })

  test('takes a late answer of the first attempt, and does not call the second one unanswered', async () => {
    const { clock, attempts, winner } = makeRace(2)
    await clock.advance(500)
    attempts[0]?.resolve('one')
    expect(await winner).toEqual({ value: 'one', unanswered: [] })
    expect(attempts[1]?.signal.aborted).toBe(true)
  })

  test('fails with all errors, in the order of the attempts', async () => {
    const { clock, attempts, winner } = makeRace(2)
    await clock.advance(500)
    const [one, two] = [new Error('one'), new Error('two')]
    attempts[1]?.reject(two)
    attempts[0]?.reject(one)
    expect(await winner).toEqual({ failures: [one, two] })
  })

  test('repeats an attempt that may succeed later while another one is not answered', async () => {
    const { clock, attempts, winner } = makeRace(2)
    await clock.advance(500)
    attempts[1]?.reject(new Error('not yet'))
    await expect.poll(() => attempts).toHaveLength(3)
    attempts[2]?.resolve('two')
    expect(await winner).toEqual({ value: 'two', unanswered: [0] })
  })

  test('does not repeat an attempt if all others have failed', async () => {
    const { attempts, winner } = makeRace(1)
    const error = new Error('not yet')
    attempts[0]?.reject(error)
    expect(await winner).toEqual({ failures: [error] })
  })

  test('ends with a final error', async () => {
    const { attempts, winner } = makeRace(2)
    attempts[0]?.reject(new Error('final'))
    await expect(winner).rejects.toThrow('final')
    expect(attempts).toHaveLength(1)
  })
})
