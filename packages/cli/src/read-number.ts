import type { Surge } from '@poolguard/core/postgres'
import { InvalidArgumentError } from 'commander'

/** Reads a whole number of at least so much out of an option. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`It takes a whole number of at least ${least}.`)
  }
}

/** Reads max_connections: `MAX_BACKENDS` is the most that PostgreSQL starts with. */
export function readMaxConnections(text: string): number {
  const value = wholeFrom(1)(text)
  if (value <= 262_143) return value
  throw new InvalidArgumentError('PostgreSQL takes 262143 at most.')
}

/** Reads an amount, such as 2.5. */
export function amount(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value < Infinity) return value
  throw new InvalidArgumentError('It takes a number of at least 0.')
}

/** Reads an amount above 0. */
export function positive(text: string): number {
  const value = amount(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It takes a number above 0.')
}

/** Reads a number from 0 to 100. */
export function percent(text: string): number {
  const value = amount(text)
  if (value <= 100) return value
  throw new InvalidArgumentError('It takes a number from 0 to 100.')
}

/**
 * Collects an option that may be given several times. One that takes all words that follow would swallow the URL, too, and
 * send a password in it to the server as SQL.
 */
export function listed(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** Reads a number of instances, or a share of them, as Kubernetes writes maxSurge. */
export function readSurge(text: string): Surge {
  if (/^\d+$/.test(text)) return Number(text)
  if (/^\d+%$/.test(text)) return text as Surge
  throw new InvalidArgumentError('It takes a whole number such as 1, or a share such as 25%.')
}

const MEGABYTES: Readonly<Record<string, number>> = { MB: 1, GB: 1_024, TB: 1_048_576 }

/** Three quarters of it are as much as `effective_cache_size` takes: 16 TB. */
const MAX_MEGABYTES = 21 * 1_048_576

/** Reads an amount of memory of at least so many megabytes, such as 8GB. */
export function readMegabytes(least: number): (text: string) => number {
  return (text) => {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?(MB|GB|TB)$/i.exec(text.trim()) ?? []
    const megabytes = Math.floor(Number(digits) * (MEGABYTES[unit.toUpperCase()] ?? 0))
    if (megabytes >= least && megabytes <= MAX_MEGABYTES) return megabytes
    throw new InvalidArgumentError(`It takes an amount such as 8GB, from ${least}MB to 21TB.`)
  }
}

/** Reads a duration as PostgreSQL writes it; 0 would be no limit. */
export function readDuration(text: string): string {
  if (/^[1-9]\d{0,6}(ms|s|min|h)$/.test(text)) return text
  throw new InvalidArgumentError('It takes a duration such as 30s or 5min.')
}
