import { InvalidOptionError } from '../invalid-option-error.ts'

/** As Kubernetes writes it: a number of instances, or a share of them. */
export type Surge = number | `${number}%`

/**
 * How many instances more than asked for a rolling deploy runs at the same time. A share is rounded up, as Kubernetes does
 * (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge).
 *
 * @throws {InvalidOptionError} for anything but a whole number or a percentage.
 */
export function surgeInstances(instances: number, maxSurge: Surge = 0): number {
  const share = typeof maxSurge === 'string' ? /^(\d+)%$/.exec(maxSurge)?.[1] : undefined
  if (share !== undefined) return Math.ceil((instances * Number(share)) / 100)
  if (typeof maxSurge === 'number' && Number.isSafeInteger(maxSurge) && maxSurge >= 0) return maxSurge
  throw new InvalidOptionError('maxSurge', maxSurge, "a whole number of instances, or a share of them such as '25%'")
}
