import { InvalidOptionError } from '../invalid-option-error.ts'
import { DEFAULT_HEALTH_THRESHOLDS, type HealthThresholds } from './health-thresholds.ts'

/**
 * The thresholds that somebody gave, over the defaults.
 *
 * @throws {InvalidOptionError} names the threshold and its value.
 */
export function completeThresholds(given: Partial<HealthThresholds>): HealthThresholds {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError('thresholds', given, '{ waiters: { warning: 5, critical: 20 } }')
  }
  for (const [name, threshold] of Object.entries(given)) requireThreshold(name, threshold)
  return { ...DEFAULT_HEALTH_THRESHOLDS, ...given }
}

function requireThreshold(name: string, threshold: unknown): void {
  const option = `thresholds.${name}`
  if (!Object.hasOwn(DEFAULT_HEALTH_THRESHOLDS, name)) {
    const known = Object.keys(DEFAULT_HEALTH_THRESHOLDS).join(', ')
    throw new InvalidOptionError(option, threshold, `no value: there is no such threshold, only ${known}`)
  }
  const { warning, critical } = (threshold ?? {}) as { warning?: unknown; critical?: unknown }
  if (!(typeof warning === 'number' && typeof critical === 'number' && warning >= 0 && critical >= warning)) {
    throw new InvalidOptionError(
      option,
      threshold,
      '{ warning, critical }, two numbers, the second not below the first',
    )
  }
  // Nothing would ever reach it, without a word.
  const isPercent = [warning, critical].some((value) => value > 1 && value !== Infinity)
  if (name.endsWith('Share') && isPercent) {
    throw new InvalidOptionError(option, threshold, 'shares between 0 and 1, as 0.9 for 90 %, or Infinity for never')
  }
}
