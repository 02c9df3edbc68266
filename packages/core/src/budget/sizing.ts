import { InvalidOptionError, requireInteger } from '../invalid-option-error.ts'

/** A number of connections, its calculation with the user's own numbers, and the source of the formula. */
export interface Sizing {
  readonly method: 'littles-law' | 'busy-ratio' | 'cores' | 'pool-locking'
  /** `least`: with fewer, callers wait or block each other. `most`: with more, the server does not get faster. */
  readonly bound: 'least' | 'most'
  readonly connections: number
  readonly formula: string
  /** Link to an explanation of the formula. */
  readonly source: string
}

/** The utilization of a pool above which the health check warns. */
const TARGET_BUSY = 0.7

const HIKARI = 'https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing'
const CYBERTEC =
  'https://www.cybertec-postgresql.com/en/estimating-connection-pool-size-with-postgresql-database-statistics/'

export interface LittlesLawInput {
  /** Checkouts per second. */
  readonly checkoutsPerSecond: number
  /** Average duration of a checkout. */
  readonly heldMillis: number
}

/**
 * The smallest pool that serves a load: Little's law gives the average number of connections in use, which should be at most
 * 70 % of the pool, so that a burst does not wait. The result is for all pools together or for one pool, depending on the input.
 *
 * @throws {InvalidOptionError} for a number below 0.
 * @see https://en.wikipedia.org/wiki/Little%27s_law
 * @example
 * littlesLaw({ checkoutsPerSecond: 400, heldMillis: 12 }).connections // 400 x 0.012 = 4.8; 4.8 / 70 % = 7
 */
export function littlesLaw({ checkoutsPerSecond, heldMillis }: LittlesLawInput): Sizing {
  requireAmount('checkoutsPerSecond', checkoutsPerSecond)
  requireAmount('heldMillis', heldMillis)
  const inUse = (checkoutsPerSecond * heldMillis) / 1_000
  const connections = Math.max(1, Math.ceil(tidy(inUse / TARGET_BUSY)))
  return {
    method: 'littles-law',
    bound: 'least',
    connections,
    formula: `${show(checkoutsPerSecond)} checkouts per second x ${show(heldMillis)} ms = ${show(inUse)} in use on average; / ${TARGET_BUSY * 100} % = ${connections}`,
    source: 'https://en.wikipedia.org/wiki/Little%27s_law',
  }
}

export interface BusyRatioInput {
  /** Cores of the server. */
  readonly cores: number
  /** Requests that the storage serves in parallel. Default: the number of cores. */
  readonly parallelIo?: number | undefined
  /** The part of the time that callers hold connections in which the server works: see `busyRatio`. */
  readonly busyRatio: number
  /** Processes per query, with parallel workers. Default 1. */
  readonly parallelism?: number | undefined
}

/**
 * The maximum of connections that the server can keep busy: max(cores, parallel I/O) / (busy ratio x parallelism). For all
 * pools of all instances together.
 *
 * @throws {InvalidOptionError} for a ratio outside of 0 to 1.
 * @see https://www.cybertec-postgresql.com/en/estimating-connection-pool-size-with-postgresql-database-statistics/
 */
export function sizeByBusyRatio({ cores, parallelIo, busyRatio, parallelism = 1 }: BusyRatioInput): Sizing {
  requireInteger('cores', cores, 1)
  if (!(busyRatio > 0 && busyRatio <= 1))
    throw new InvalidOptionError('busyRatio', busyRatio, 'a share above 0, up to 1')
  if (!(parallelism >= 1)) throw new InvalidOptionError('parallelism', parallelism, 'a number of at least 1')
  const parallel = Math.max(cores, parallelIo ?? 0)
  const connections = Math.max(1, Math.floor(tidy(parallel / (busyRatio * parallelism))))
  return {
    method: 'busy-ratio',
    bound: 'most',
    connections,
    formula: `${parallel} in parallel (cores or I/O) / (${show(busyRatio)} busy x ${show(parallelism)} processes per query) = ${connections}`,
    source: CYBERTEC,
  }
}

/**
 * HikariCP's starting point for all pools together: cores x 2 + disks. Do not count disks if all data is in memory or on an SSD.
 *
 * @see https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing
 */
export function sizeByCores({
  cores,
  disks = 0,
}: {
  readonly cores: number
  readonly disks?: number | undefined
}): Sizing {
  requireInteger('cores', cores, 1)
  requireInteger('disks', disks, 0)
  const connections = cores * 2 + disks
  const formula =
    disks === 1
      ? `${cores} cores x 2 + 1 disk = ${connections}`
      : `${cores} cores x 2 + ${disks} disks = ${connections}`
  return { method: 'cores', bound: 'most', connections, formula, source: HIKARI }
}

export interface PoolLockingInput {
  /** Requests or jobs that one process handles concurrently. */
  readonly concurrency: number
  /**
   * Connections that one request holds at the same time: 1 if everything runs in one transaction, 2 if a transaction's
   * callback also queries the pool. One `findMany` of Prisma 7 with several `include`s outside of a transaction takes one
   * connection for each `include`.
   */
  readonly connectionsEach: number
}

/**
 * The smallest pool that cannot deadlock: concurrency x (connections each - 1) + 1. With fewer, all requests can hold one
 * connection and wait for another forever. For one pool.
 *
 * @see https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing#pool-locking
 * @example
 * sizeAgainstLocking({ concurrency: 3, connectionsEach: 4 }).connections // 3 x (4 - 1) + 1 = 10
 */
export function sizeAgainstLocking({ concurrency, connectionsEach }: PoolLockingInput): Sizing {
  requireInteger('concurrency', concurrency, 1)
  requireInteger('connectionsEach', connectionsEach, 1)
  const connections = concurrency * (connectionsEach - 1) + 1
  return {
    method: 'pool-locking',
    bound: 'least',
    connections,
    formula: `${concurrency} concurrent x (${connectionsEach} connections each - 1) + 1 = ${connections}`,
    source: `${HIKARI}#pool-locking`,
  }
}

function requireAmount(option: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new InvalidOptionError(option, value, 'a number of at least 0')
}

/** Removes rounding errors such as 7.000000000000001. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)))
}
