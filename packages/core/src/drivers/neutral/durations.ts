const UNIT_MILLIS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Parses a duration in PostgreSQL's format for timeouts: a number with a unit, or in milliseconds without one. Undefined if the text
 * is not a duration.
 *
 * @see https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES
 * @example
 * serverDurationMillis('5s') // 5000
 */
export function serverDurationMillis(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)\s*(us|ms|s|min|h|d)?$/.exec(text.trim())
  return match ? Math.round(Number(match[1]) * (UNIT_MILLIS[match[2] ?? 'ms'] ?? 1)) : undefined
}

/** Whole seconds for a driver in which 0 means no limit. Rounded up, so that a short duration does not become 0. */
export function wholeSeconds(millis: number): number {
  return millis === Infinity ? 0 : Math.max(1, Math.ceil(millis / 1000))
}

/** Whole milliseconds for a driver in which 0 means no limit. */
export function wholeMillis(millis: number): number {
  return millis === Infinity ? 0 : Math.max(1, Math.ceil(millis))
}
