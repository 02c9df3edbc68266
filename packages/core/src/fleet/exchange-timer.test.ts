import { expect, test } from 'vitest'
import { ManualClock } from '../pool/testing/manual-clock.ts'
import { ExchangeTimer } from './exchange-timer.ts'

/** When it checks and exchanges, in milliseconds from the start. */
function timerWith({ intervalMillis = 10_000, random = 0 } = {}) {
  const clock = new ManualClock()
  const [checks, exchanges]: [number[], number[]] = [[], []]
  const timer = new ExchangeTimer({
    ...{ intervalMillis, clock, random: () => random },
    check: () => checks.push(clock.now()),
    exchange: () => exchanges.push(clock.now()),
  })
  return { clock, timer, checks, exchanges }
}

test.each([
  [0, 2_500],
  [0.5, 2_250],
  [1, 2_000],
])('a check is due after a quarter of the interval, less up to a fifth: with %d at %i ms', async (random, at) => {
  const { clock, timer, checks } = timerWith({ random })
  timer.scheduleCheck()
  timer.scheduleCheck()
  expect(timer.isChecking).toBe(true)
  await clock.advance(20_000)

  expect([checks, timer.isChecking]).toEqual([[at], false])
})

test.each([
  [10_000, 100],
  [400, 20],
])('with an interval of %i ms, exchanges begin at least %i ms apart', async (intervalMillis, millis) => {
  const { clock, timer, exchanges } = timerWith({ intervalMillis })
  expect(timer.delayMillis).toBe(0)
  await clock.advance(5)
  timer.onExchangeStarted()
  expect(timer.delayMillis).toBe(millis)
  timer.scheduleExchange()
  timer.scheduleExchange()
  await clock.advance(1_000)

  expect(exchanges).toEqual([5 + millis])
  expect(timer.delayMillis).toBe(0)
})

test('an exchange that starts replaces the check and the exchange that were scheduled', async () => {
  const { clock, timer, checks, exchanges } = timerWith()
  timer.scheduleCheck()
  timer.scheduleExchange()
  timer.onExchangeStarted()
  expect(timer.isChecking).toBe(false)
  await clock.advance(20_000)
  expect([checks, exchanges]).toEqual([[], []])

  timer.scheduleCheck()
  timer.scheduleExchange()
  await clock.advance(20_000)
  expect([checks, exchanges]).toEqual([[22_500], [20_000]])
})

test('its timers do not keep a process alive', () => {
  const { clock, timer } = timerWith()
  timer.scheduleCheck()
  timer.scheduleExchange()

  expect([clock.timers, clock.foregroundTimers]).toEqual([2, 0])
})
