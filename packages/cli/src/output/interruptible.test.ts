import { expect, test } from 'vitest'
import { INTERRUPTING_SIGNALS, interruptible } from './interruptible.ts'

test.each(INTERRUPTING_SIGNALS)('%s interrupts once, and is left to Node afterwards', async (signal) => {
  const before = process.listeners(signal)
  await using interruption = interruptible()
  const [interrupt] = process.listeners(signal).filter((listener) => !before.includes(listener))
  interrupt?.(signal)
  expect(interruption.signal.aborted).toBe(true)
  expect(INTERRUPTING_SIGNALS.flatMap((each) => process.listeners(each))).not.toContain(interrupt)
})
