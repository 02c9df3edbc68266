import { InvalidOptionError } from '../invalid-option-error.ts'

/** Kubernetes' notation: a number of instances, or a percentage of them. */
export type Surge = number | `${number}%`

/**
 * How many additional instances a rolling deploy runs. A percentage is rounded up, as in Kubernetes
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge).
 *
 * @throws {InvalidOptionError} unless it is a whole number or a percentage.
 */
export function surgeInstances(instances: number, maxSurge: Surge = 0): number {
  const share = typeof maxSurge === 'string' ? /^(\d+)%$/.exec(maxSurge)?.[1] : undefined
  if (share !== undefined) return Math.ceil((instances * Number(share)) / 100)
  if (typeof maxSurge === 'number' && Number.isSafeInteger(maxSurge) && maxSurge >= 0) return maxSurge
  throw new InvalidOptionError(
    'maxSurge',
    maxSurge,
    "a whole number of instances, or a percentage of them such as '25%'",
  )
}
