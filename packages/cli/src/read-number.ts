import type { Surge } from '@poolguard/core/postgres'
import { InvalidArgumentError } from 'commander'
import { t } from './output/translate.ts'

/** Parses an option as a whole number of at least `min`. */
export function wholeFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value
    throw new InvalidArgumentError(t`It must be a whole number of at least ${min}.`)
  }
}

/** Parses a port; 0 is any free one. */
export function portNumber(text: string): number {
  const value = wholeFrom(0)(text)
  if (value <= 65_535) return value
  throw new InvalidArgumentError(t`It must be a port: a number from 0 to 65535.`)
}

/** Parses max_connections. PostgreSQL's MAX_BACKENDS is the upper limit. */
export function readMaxConnections(text: string): number {
  const value = wholeFrom(1)(text)
  if (value <= 262_143) return value
  throw new InvalidArgumentError(t`It must be at most 262143, PostgreSQL's maximum.`)
}

/** Parses an amount such as 2.5. */
export function amount(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value < Infinity) return value
  throw new InvalidArgumentError(t`It must be a number of at least 0.`)
}

/** Parses an amount above 0. */
export function positive(text: string): number {
  const value = amount(text)
  if (value > 0) return value
  throw new InvalidArgumentError(t`It must be a number above 0.`)
}

/** Parses a number from 0 to 100. */
export function percent(text: string): number {
  const value = amount(text)
  if (value <= 100) return value
  throw new InvalidArgumentError(t`It must be a number from 0 to 100.`)
}

/**
 * Collects a repeatable option. A variadic option would also take the URL that follows, and send its password to the server
 * as SQL.
 */
export function listed(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** Parses a number or a share of instances, like Kubernetes' maxSurge. */
export function readSurge(text: string): Surge {
  if (/^\d+$/.test(text)) return Number(text)
  if (/^\d+%$/.test(text)) return text as Surge
  throw new InvalidArgumentError(t`It must be a whole number such as 1, or a share such as 25%.`)
}

const MEGABYTES: Readonly<Record<string, number>> = { MB: 1, GB: 1_024, TB: 1_048_576 }

/** Three quarters of it are the maximum of `effective_cache_size`: 16 TB. */
const MAX_MEGABYTES = 21 * 1_048_576

/** Parses an amount of memory such as 8GB, of at least `min` megabytes. */
export function readMegabytes(min: number): (text: string) => number {
  return (text) => {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?(MB|GB|TB)$/i.exec(text.trim()) ?? []
    const megabytes = Math.floor(Number(digits) * (MEGABYTES[unit.toUpperCase()] ?? 0))
    if (megabytes >= min && megabytes <= MAX_MEGABYTES) return megabytes
    throw new InvalidArgumentError(t`It must be an amount such as 8GB, from ${min}MB to 21TB.`)
  }
}

/** Parses a duration in PostgreSQL's format; 0 is not valid, because it means no limit. */
export function readDuration(text: string): string {
  if (/^[1-9]\d{0,6}(ms|s|min|h)$/.test(text)) return text
  throw new InvalidArgumentError(t`It must be a duration such as 30s or 5min.`)
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3_600 }

/** Parses a duration such as 30s, in seconds. */
export function readSeconds(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,7})(ms|s|min|h)$/.exec(text) ?? []
  const size = SECONDS[unit]
  if (size !== undefined) return Number(digits) * size
  throw new InvalidArgumentError(t`It must be a duration such as 30s or 5min.`)
}
