import { expect, test } from 'vitest'
import { Sightings } from './sightings.ts'

const inList = (length: number) => `select * from account where id in (${Array(length).fill('?').join(', ')})`

test('a text is new only once', () => {
  const sightings = new Sightings()
  expect([1, 2, 3].map(() => sightings.record(inList(3)))).toEqual([false, true, true])
  expect(sightings.record(inList(4))).toBe(false)
})

test('in a flood of texts that never repeat, almost none counts as a repetition', () => {
  const sightings = new Sightings()
  let mistaken = 0
  for (let i = 0; i < 100_000; i++) if (sightings.record(`select * from account where id = $1 /* ${i} */`)) mistaken++
  expect(mistaken).toBeLessThan(100)
})

test('a repeated text is recognized within such a flood', () => {
  const sightings = new Sightings()
  let met = 0
  for (let i = 0; i < 10_000; i++) {
    if (i % 100 === 0 && sightings.record(inList(2))) met++
    sightings.record(`insert into event_${i} values ($1)`)
  }
  expect(met).toBeGreaterThan(80)
})

test('long texts are distinguished by their ends', () => {
  const sightings = new Sightings()
  const lists = [300, 301, 900, 2_000].map(inList)
  expect(lists.map((text) => sightings.record(text))).toEqual([false, false, false, false])
  expect(lists.map((text) => sightings.record(text))).toEqual([true, true, true, true])
})
