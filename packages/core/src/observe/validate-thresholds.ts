import { InvalidOptionError } from '../invalid-option-error.ts'
import { DEFAULT_HEALTH_THRESHOLDS, type HealthThresholds } from './health.ts'

/** @throws {InvalidOptionError} names the threshold and its value. */
export function validateThresholds(thresholds: Partial<HealthThresholds>): void {
  for (const [name, threshold] of Object.entries(thresholds)) {
    const option = `thresholds.${name}`
    if (!Object.hasOwn(DEFAULT_HEALTH_THRESHOLDS, name)) {
      const known = Object.keys(DEFAULT_HEALTH_THRESHOLDS).join(', ')
      throw new InvalidOptionError(option, threshold, `no value: there is no such threshold, only ${known}`)
    }
    const { warning, critical } = (threshold ?? {}) as { warning?: unknown; critical?: unknown }
    const fits = typeof warning === 'number' && typeof critical === 'number' && warning >= 0 && critical >= warning
    if (fits) continue
    throw new InvalidOptionError(
      option,
      threshold,
      '{ warning, critical }, two numbers, the second not below the first',
    )
  }
}
