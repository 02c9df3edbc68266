import { type Range, RowReader } from '@poolguard/core/postgres'

/** Milliseconds and kilobytes, as PostgreSQL counts them. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  B: 1 / 1_024,
  kB: 1,
  '8kB': 8,
  '16MB': 16_384,
  MB: 1_024,
  GB: 1_048_576,
  TB: 1_073_741_824,
}

const LARGE_FIRST = { time: ['d', 'h', 'min', 's', 'ms'], memory: ['TB', 'GB', 'MB', 'kB'] } as const

/**
 * Converts a setting to its unit in `pg_settings`. A number without a unit is in that unit already.
 *
 * @see https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES
 */
export function amountIn(unit: string | null, text: string): number {
  const [, digits = text, written = ''] = /^(-?\d+)([a-zA-Z]*)$/.exec(text) ?? []
  if (written === '' || unit === null) return Number(digits)
  return (Number(digits) * (UNITS[written] ?? Number.NaN)) / (UNITS[unit] ?? 1)
}

/** Covers PostgreSQL's 32-bit integers and its reals. */
const AMOUNT: Range = { min: -(2 ** 53), max: 2 ** 53 }

/**
 * Parses a setting from the server, in the setting's own unit.
 *
 * @throws {InvalidAnswerError} if the value is not a number.
 */
export function amountOf({ name, value }: { readonly name: string; readonly value: string }): number {
  return new RowReader('the query for the settings', { [name]: value }).number(name, AMOUNT)
}

/** Formats an amount in the largest unit in which it is a whole number, like SHOW. */
export function showAmount(unit: string | null, amount: number): string {
  if (unit === null || amount <= 0) return String(amount)
  const base = amount * (UNITS[unit] ?? 1)
  const units = /B$/.test(unit) ? LARGE_FIRST.memory : LARGE_FIRST.time
  const fitting = units.find((larger) => Number.isInteger(base / (UNITS[larger] ?? 1)))
  return fitting ? `${base / (UNITS[fitting] ?? 1)}${fitting}` : `${amount} x ${unit}`
}
