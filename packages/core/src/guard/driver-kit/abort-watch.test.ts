import { describe, expect, test, vi } from 'vitest'
import { settled } from '../../pool/testing/manual-clock.ts'
import { Outcome } from '../../pool/testing/outcome.ts'
import { AbortWatch, isRollback, untilAborted } from './abort-watch.ts'

describe('an abort watch', () => {
  test('cancels once, when the signal is aborted, and gives the cancellation to the release', async () => {
    const controller = new AbortController()
    const cancel = vi.fn(async () => true)
    const watch = new AbortWatch(controller.signal, cancel)
    expect([watch.aborted, cancel.mock.calls.length]).toEqual([false, 0])
    controller.abort('gone')

    expect([watch.aborted, watch.reason, cancel.mock.calls.length]).toEqual([true, 'gone', 1])
    expect(await watch.end()).toBe(true)
  })

  test('cancels nothing after the release', () => {
    const controller = new AbortController()
    const cancel = vi.fn(async () => true)
    const watch = new AbortWatch(controller.signal, cancel)
    expect(watch.end()).toBeUndefined()
    controller.abort()

    expect(cancel).not.toHaveBeenCalled()
  })

  test('cancels immediately if the signal has been aborted before', () => {
    const cancel = vi.fn(async () => true)
    new AbortWatch(AbortSignal.abort(), cancel)

    expect(cancel).toHaveBeenCalledOnce()
  })
})

test('an outcome is awaited until the signal is aborted', async () => {
  const controller = new AbortController()
  const work = Promise.withResolvers<string>()
  const outcome = new Outcome(untilAborted(work.promise, controller.signal))
  controller.abort('gone')
  await settled()
  expect(outcome.error).toBe('gone')
  work.reject(new Error('late, and no unhandled rejection'))
  await settled()

  expect(await untilAborted(Promise.resolve('done'), new AbortController().signal)).toBe('done')
})

test.for([
  ['rollback', true],
  [' ROLLBACK TO SAVEPOINT a', true],
  ['commit', false],
  ['select rollback()', false],
  ['rollbacks', false],
] as const)('%s is a rollback: %s', ([text, expected]) => {
  expect(isRollback(text)).toBe(expected)
})
