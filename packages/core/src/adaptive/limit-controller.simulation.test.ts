import { describe, expect, test } from 'vitest'
import { LimitController } from './limit-controller.ts'
import { bestRate, CURVES, type Curve, GENERATORS, simulate } from './testing/simulated-server.ts'

const SEEDS = Array.from({ length: 30 }, (_, index) => index * 7_919 + 5)
const MAX = 64

/** Limits that start at pg's default pool size. */
const controller = () => new LimitController(10, { min: 1, max: MAX })

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

describe.each(Object.entries(GENERATORS))('with the noise of a real server (%s), the controller', (_, generator) => {
  test.each(Object.entries(CURVES))('keeps 0.95 of the best fixed throughput: %s', (_, curve) => {
    const settled = SEEDS.map(
      (seed) => simulate(controller(), [{ curve, seconds: 120 }], { seed, generator })[0]?.settled ?? 0,
    )

    expect(mean(settled)).toBeGreaterThanOrEqual(0.95)
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(0.8)
  })

  test('follows an optimum that moves from 60 to 2, to 4 and back', () => {
    const { groupCommit, lockCollapse, readsByKey } = CURVES
    const curves: readonly Curve[] = [groupCommit, lockCollapse, readsByKey, groupCommit]
    const phases = curves.map((curve) => ({ curve, seconds: 60 }))
    const runs = SEEDS.map((seed) => simulate(controller(), phases, { seed, generator }))

    const settled = curves.map((_, phase) => mean(runs.map((run) => run[phase]?.settled ?? 0)))
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(0.95)
    // No single size suits all phases: each phase counts by its share of what its own best size would do.
    const shares = (rates: readonly number[]) => mean(rates.map((rate, i) => rate / bestRate(curves[i] as Curve, MAX)))
    const adaptive = mean(runs.map((run) => shares(run.map(({ rate }) => rate))))
    const fixed = Array.from({ length: MAX }, (_, index) => shares(curves.map((curve) => curve(index + 1))))
    expect(adaptive).toBeGreaterThanOrEqual(0.95)
    expect(adaptive).toBeGreaterThan(Math.max(...fixed))
  })
})
