const UNIT_MILLIS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Reads a duration as PostgreSQL writes its timeouts: a number, in milliseconds where no unit follows. Undefined if it is
 * none.
 *
 * @see https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES
 * @example
 * serverDurationMillis('5s') // 5000
 */
export function serverDurationMillis(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)\s*(us|ms|s|min|h|d)?$/.exec(text.trim())
  return match ? Math.round(Number(match[1]) * (UNIT_MILLIS[match[2] ?? 'ms'] ?? 1)) : undefined
}

/** A duration in whole seconds for a driver that counts in them and takes 0 as without end. Rounded up, so never 0 by rounding. */
export function wholeSeconds(millis: number): number {
  return millis === Infinity ? 0 : Math.max(1, Math.ceil(millis / 1000))
}

/** A duration in whole milliseconds for a driver that takes 0 as without end. */
export function wholeMillis(millis: number): number {
  return millis === Infinity ? 0 : Math.max(1, Math.ceil(millis))
}
