import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import { ManualClock } from './testing/manual-clock.ts'

function givenAlarm(background = false) {
  const clock = new ManualClock()
  const rung: number[] = []
  const alarm = new Alarm(clock, () => rung.push(clock.now()), { background })
  return { clock, rung, alarm }
}

describe('an alarm', () => {
  test('fires once, at the earliest requested time, in any order of requests', async () => {
    const { clock, rung, alarm } = givenAlarm()
    alarm.at(30)
    alarm.at(10)
    alarm.at(20)
    await clock.advance(100)

    expect(rung).toEqual([10])
  })

  test('has one timer for any number of requests', () => {
    const { clock, alarm } = givenAlarm()
    for (let time = 100; time > 0; time--) alarm.at(time)

    expect(clock.timers).toBe(1)
  })

  test('accepts a new request after it fired', async () => {
    const { clock, rung, alarm } = givenAlarm()
    alarm.at(10)
    await clock.advance(10)
    alarm.at(15)
    await clock.advance(10)

    expect(rung).toEqual([10, 15])
  })

  test('fires immediately for a time in the past', async () => {
    const { clock, rung, alarm } = givenAlarm()
    await clock.advance(50)
    alarm.at(10)
    await clock.advance(0)

    expect(rung).toEqual([50])
  })

  test('never fires for Infinity, nor after it was stopped', async () => {
    const { clock, rung, alarm } = givenAlarm()
    alarm.at(Infinity)
    expect(clock.timers).toBe(0)
    alarm.at(10)
    alarm.stop()
    await clock.advance(100)

    expect(rung).toEqual([])
  })

  test('keeps the process alive only without the option background', () => {
    const foreground = givenAlarm(false)
    foreground.alarm.at(10)
    const background = givenAlarm(true)
    background.alarm.at(10)

    expect(foreground.clock.foregroundTimers).toBe(1)
    expect(background.clock.foregroundTimers).toBe(0)
  })

  test('rounds up to whole milliseconds, because timers of Node would round down', () => {
    const asked: number[] = []
    const clock: Clock = {
      now: () => 0.25,
      blockedMillis: 0,
      after(millis) {
        asked.push(millis)
        return () => {}
      },
    }
    new Alarm(clock, () => {}, { background: false }).at(10)

    expect(asked).toEqual([10])
  })
})

describe('the system clock', () => {
  test('accepts a delay above the maximum of a Node timer, without firing immediately', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const cancel = systemClock.after(30 * 24 * 3_600_000, () => {})
    await new Promise((resolve) => setImmediate(resolve))
    cancel()
    process.off('warning', listen)

    expect(warnings).toEqual([])
  })
})
