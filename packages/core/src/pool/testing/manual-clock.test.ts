import { expect, test } from 'vitest'
import { ManualClock } from './manual-clock.ts'

test('a manual clock fires timers in the order they are due, each at its time', async () => {
  const clock = new ManualClock()
  const rung: [string, number][] = []
  clock.after(20, () => rung.push(['late', clock.now()]))
  clock.after(10, () => rung.push(['early', clock.now()]))
  clock.after(10, () => rung.push(['early too', clock.now()]))
  clock.after(31, () => rung.push(['not yet', clock.now()]))

  await clock.advance(30)

  expect(rung).toEqual([
    ['early', 10],
    ['early too', 10],
    ['late', 20],
  ])
  expect(clock.now()).toBe(30)
})

test('a manual clock lets promises settle between two timers, which may start or cancel timers', async () => {
  const clock = new ManualClock()
  const rung: string[] = []
  const cancel = clock.after(20, () => rung.push('taken back'))
  clock.after(10, () => {
    void Promise.resolve()
      .then(() => {})
      .then(() => {
        cancel()
        clock.after(5, () => rung.push(`set on the way, rung at ${clock.now()}`))
      })
  })

  await clock.advance(30)

  expect(rung).toEqual(['set on the way, rung at 15'])
})
