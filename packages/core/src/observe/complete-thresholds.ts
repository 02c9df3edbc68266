import { InvalidOptionError } from '../invalid-option-error.ts'
import { DEFAULT_HEALTH_THRESHOLDS, type HealthThresholds } from './health-thresholds.ts'

/**
 * Fills in the defaults for the thresholds that are not given.
 *
 * @throws {InvalidOptionError} if a threshold is unknown or its value is invalid; names the threshold and its value.
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
    throw new InvalidOptionError(option, threshold, `no value: this threshold does not exist. Use one of ${known}`)
  }
  const { warning, critical } = (threshold ?? {}) as { warning?: unknown; critical?: unknown }
  if (!(typeof warning === 'number' && typeof critical === 'number' && warning >= 0 && critical >= warning)) {
    throw new InvalidOptionError(
      option,
      threshold,
      '{ warning, critical }: two numbers of at least 0, critical not below warning',
    )
  }
  // A share never exceeds 1: such a threshold would silently never apply.
  const isPercent = [warning, critical].some((value) => value > 1 && value !== Infinity)
  if (name.endsWith('Share') && isPercent) {
    throw new InvalidOptionError(
      option,
      threshold,
      'shares between 0 and 1, such as 0.9 for 90 %, or Infinity to turn the threshold off',
    )
  }
}
