import { InvalidOptionError } from '@poolguard/core'

/** @throws {InvalidOptionError} for anything but true, false and undefined. */
export function readSwitch(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  throw new InvalidOptionError(option, value, 'true or false')
}
