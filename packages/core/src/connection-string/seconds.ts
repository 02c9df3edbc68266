/** A duration in whole seconds for a driver that counts in them and takes 0 as without end. Rounded up, so never 0 by rounding. */
export function wholeSeconds(millis: number): number {
  return millis === Infinity ? 0 : Math.max(1, Math.ceil(millis / 1000))
}

/** A duration in whole milliseconds for a driver that takes 0 as without end. */
export function wholeMillis(millis: number): number {
  return millis === Infinity ? 0 : Math.max(1, Math.ceil(millis))
}
