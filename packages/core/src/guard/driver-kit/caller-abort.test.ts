import { expect, test, vi } from 'vitest'
import { CallerAbort } from './caller-abort.ts'
import type { BusyConnection } from './cancel-and-close.ts'

const idle: BusyConnection = {
  isAtRest: true,
  waitsForClient: false,
  isUnread: false,
  bytes: 0,
  settled: () => Promise.resolve(),
}
const busy: BusyConnection = { ...idle, isAtRest: false, settled: () => new Promise(() => {}) }

test('rejects all statements but a rollback from the abort to the release, and delays the next caller', async () => {
  const controller = new AbortController()
  const onAbort = vi.fn()
  const callerAbort = new CallerAbort(idle, { onAbort, cancel: async () => true })
  callerAbort.watch(controller.signal, () => {})
  expect([callerAbort.isAborted, callerAbort.rejects('select 1')]).toEqual([false, false])
  controller.abort('gone')

  expect(onAbort.mock.calls).toEqual([['gone']])
  expect([callerAbort.isAborted, callerAbort.reason]).toEqual([true, 'gone'])
  expect([callerAbort.rejects('select 1'), callerAbort.rejects('rollback')]).toEqual([true, false])
  expect(callerAbort.delaysNextCaller).toBe(false)
  callerAbort.end()
  expect([callerAbort.isAborted, callerAbort.delaysNextCaller]).toEqual([false, true])
  expect(await callerAbort.afterCancelling()).toBe(true)
  expect(callerAbort.delaysNextCaller).toBe(false)
})

test('a connection whose statement cannot be cancelled must be closed', async () => {
  const onStuck = vi.fn()
  const callerAbort = new CallerAbort(busy, { cancel: async () => false })
  callerAbort.watch(AbortSignal.abort(), onStuck)
  callerAbort.end()

  expect(await callerAbort.afterCancelling()).toBe(false)
  expect(onStuck).toHaveBeenCalledOnce()
})

test('a release without an abort delays no caller', async () => {
  const callerAbort = new CallerAbort(idle, { cancel: async () => true })
  callerAbort.watch(new AbortController().signal, () => {})
  callerAbort.end()

  expect(callerAbort.delaysNextCaller).toBe(false)
  expect(await callerAbort.afterCancelling()).toBe(true)
})
