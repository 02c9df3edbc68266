import { type Clock, systemClock } from '../../../packages/core/src/clock.ts'
import { seededRandom } from '../../../packages/core/src/fleet/testing/simulated-clock.ts'

/** Runs the callback while the process's clock and its random numbers are simulated, so that a seed repeats everything. */
export async function withSimulatedTime(clock: Clock, seed: number, callback: () => Promise<void>): Promise<void> {
  const real = Object.getOwnPropertyDescriptors(systemClock)
  const realRandom = Math.random
  const random = seededRandom(seed)
  Object.defineProperties(systemClock, {
    now: { ...real.now, value: () => clock.now() },
    after: { ...real.after, value: (millis: number, onTimer: () => void) => clock.after(millis, onTimer) },
    blockedMillis: { ...real.blockedMillis, get: () => 0 },
  })
  Math.random = random
  try {
    await callback()
  } finally {
    Object.defineProperties(systemClock, real)
    Math.random = realRandom
  }
}
