import { describe, expect, test } from 'vitest'
import { LimitController } from './limit-controller.ts'
import type { LimitSample } from './limit-sample.ts'

/** 25 ms with `rate` statements per millisecond. */
function busy(rate: number): LimitSample {
  return { millis: 25, saturatedMillis: 25, completions: rate * 25, work: rate * 25, demand: 1_000 }
}

/** 25 ms in which no caller waited. */
const calm: LimitSample = { millis: 25, saturatedMillis: 0, completions: 0, work: 0, demand: 0 }

/** Feeds a controller for so many seconds, and returns the limits that were in effect. */
function run(controller: LimitController, seconds: number, sample: (limit: number) => LimitSample): readonly number[] {
  return Array.from({ length: seconds * 40 }, () => {
    const { limit } = controller
    controller.update(sample(limit))
    return limit
  })
}

describe('a limit controller', () => {
  test('keeps its limit while no caller waits', () => {
    const controller = new LimitController(10, { min: 1, max: 64 })

    expect(new Set(run(controller, 60, () => calm))).toEqual(new Set([10]))
    expect(controller.last).toBeUndefined()
  })

  test('finds a larger limit, never above the maximum', () => {
    const controller = new LimitController(2, { min: 1, max: 20 })
    const limits = run(controller, 60, (limit) => busy(limit))

    expect(Math.max(...limits)).toBe(20)
    expect(controller.base).toBe(20)
  })

  test('finds a smaller limit, never below 1', () => {
    const controller = new LimitController(10, { min: 1, max: 20 })
    const limits = run(controller, 60, (limit) => busy(40 / limit))

    expect(Math.min(...limits)).toBe(1)
    expect(controller.base).toBe(1)
  })

  test('chooses the smaller of two limits with the same throughput', () => {
    const controller = new LimitController(16, { min: 1, max: 64 })
    run(controller, 60, () => busy(8))

    expect(controller.base).toBe(1)
  })

  test('compares by turns: candidate, base, base, candidate', () => {
    const controller = new LimitController(4, { min: 1, max: 64 })
    const limits = run(controller, 3, (limit) => busy(limit === 32 ? 8.1 : 8))

    const turns = limits.filter((limit, index) => limit !== limits[index - 1])
    expect(turns.slice(0, 5)).toEqual([4, 32, 4, 32, 4])
  })

  test('reports the last comparison and its confidence', () => {
    const controller = new LimitController(4, { min: 1, max: 64 })
    while (!controller.last) controller.update(busy(controller.limit))

    expect(controller.last).toMatchObject({ base: 4, candidate: 32 })
    expect(controller.last.throughputRatio).toBeCloseTo(8)
    expect(controller.last.confidence).toBeGreaterThan(0.99)
  })

  test('abandons a comparison when callers have stopped waiting', () => {
    const controller = new LimitController(4, { min: 1, max: 64 })
    run(controller, 0.2, () => busy(8))
    expect(controller.isProbing).toBe(true)
    run(controller, 2, () => calm)

    expect(controller.isProbing).toBe(false)
    expect(controller.limit).toBe(4)
  })

  test('obeys a smaller maximum at once, and may grow again with a larger one', () => {
    const controller = new LimitController(32, { min: 1, max: 64 })
    run(controller, 1, (limit) => busy(limit))
    controller.setBounds({ min: 1, max: 5 })
    expect(controller.limit).toBe(5)
    expect(Math.max(...run(controller, 20, (limit) => busy(limit)))).toBe(5)

    controller.setBounds({ min: 1, max: 64 })
    run(controller, 60, (limit) => busy(limit))
    expect(controller.base).toBe(64)
  })

  test('rests when no neighbour is better: the base is in effect for most of the time', () => {
    const controller = new LimitController(8, { min: 1, max: 64 })
    const peak = (limit: number) => busy(20 - 4 * Math.abs(Math.log2(limit / 8)))
    run(controller, 30, peak)
    const limits = run(controller, 60, peak)

    expect(controller.base).toBe(8)
    expect(limits.filter((limit) => limit === 8).length / limits.length).toBeGreaterThan(0.8)
  })

  test('looks again at once when the workload changes while it rests', () => {
    const controller = new LimitController(8, { min: 1, max: 64 })
    run(controller, 60, (limit) => busy(20 - 4 * Math.abs(Math.log2(limit / 8))))
    run(controller, 10, (limit) => busy(40 / limit))

    expect(controller.base).toBeLessThanOrEqual(2)
  })

  test('leaves out samples that are discarded', () => {
    const controller = new LimitController(4, { min: 1, max: 64 })
    for (let tick = 0; tick < 400; tick++) {
      controller.update(busy(8))
      controller.discard(25)
    }

    expect(controller.isProbing).toBe(false)
    expect(controller.limit).toBe(4)
  })

  test('tries no limit with which every caller would have a connection', () => {
    const controller = new LimitController(4, { min: 1, max: 64 })
    const limits = run(controller, 60, (limit) => ({ ...busy(limit), demand: 12 }))

    expect(Math.max(...limits)).toBe(11)
  })

  test('does not try a limit again soon at which no caller waited', () => {
    const controller = new LimitController(4, { min: 1, max: 64 })
    const limits = run(controller, 60, (limit) => (limit > 8 ? calm : busy(limit)))

    expect(controller.base).toBe(8)
    expect(limits.filter((limit) => limit > 8).length / limits.length).toBeLessThan(0.3)
  })

  test('works with statements that take longer than a slot', () => {
    const controller = new LimitController(1, { min: 1, max: 16 })
    run(controller, 120, (limit) => busy(limit * 0.04))

    expect(controller.base).toBeGreaterThanOrEqual(8)
  })
})
