import { InvalidOptionError, requireInteger } from '../invalid-option-error.ts'

/** A number of connections, how it was worked out with the user's own numbers, and whose formula it is. */
export interface Sizing {
  readonly method: 'littles-law' | 'busy-ratio' | 'cores' | 'pool-locking'
  /** `least`: below it callers wait, or block each other. `most`: above it the server gains nothing. */
  readonly bound: 'least' | 'most'
  readonly connections: number
  readonly formula: string
  /** Where the formula is explained. */
  readonly source: string
}

/** The share of a pool in use from which on health warns. */
const TARGET_BUSY = 0.7

const HIKARI = 'https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing'
const CYBERTEC =
  'https://www.cybertec-postgresql.com/en/estimating-connection-pool-size-with-postgresql-database-statistics/'

export interface LittlesLawInput {
  /** Connections that are taken from the pools, per second. */
  readonly checkoutsPerSecond: number
  /** How long one is held, on average. */
  readonly heldMillis: number
}

/**
 * The least pool that serves a load: by Little's law so many connections are in use on average, and at most 70 % of them
 * should be, so that a burst does not wait. For all pools together, or for one: whichever was measured.
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
  /** Of the server. */
  readonly cores: number
  /** Requests that its storage serves at once. Default: as many as cores. */
  readonly parallelIo?: number | undefined
  /** Of the time that connections are held, the share in which they work: see `busyRatio`. */
  readonly busyRatio: number
  /** Processes per query, with parallel workers. Default 1. */
  readonly parallelism?: number | undefined
}

/**
 * The most connections that can be at work, from how busy transactions keep theirs: max(cores, parallel I/O) / (busy ratio x
 * parallelism). For all pools of all instances together.
 *
 * @throws {InvalidOptionError} for a ratio that is none.
 * @see https://www.cybertec-postgresql.com/en/estimating-connection-pool-size-with-postgresql-database-statistics/
 */
export function sizeByBusyRatio({ cores, parallelIo, busyRatio, parallelism = 1 }: BusyRatioInput): Sizing {
  requireInteger('cores', cores, 1)
  if (!(busyRatio > 0 && busyRatio <= 1))
    throw new InvalidOptionError('busyRatio', busyRatio, 'a share above 0, up to 1')
  if (!(parallelism >= 1)) throw new InvalidOptionError('parallelism', parallelism, 'a number of at least 1')
  const atOnce = Math.max(cores, parallelIo ?? 0)
  const connections = Math.max(1, Math.floor(tidy(atOnce / (busyRatio * parallelism))))
  return {
    method: 'busy-ratio',
    bound: 'most',
    connections,
    formula: `${atOnce} at once (cores or parallel I/O) / (${show(busyRatio)} busy x ${show(parallelism)} processes per query) = ${connections}`,
    source: CYBERTEC,
  }
}

/**
 * HikariCP's starting point for all pools together: cores x 2 + disks. With all data in memory or on an SSD, no disk counts.
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
  const formula = `${cores} cores x 2 + ${disks} disks = ${connections}`
  return { method: 'cores', bound: 'most', connections, formula, source: HIKARI }
}

export interface PoolLockingInput {
  /** Requests, or jobs, that one process works on at the same time. */
  readonly concurrency: number
  /**
   * Connections that one of them holds at once: 1 where everything goes through one transaction, 2 where a transaction's
   * callback uses the pool beside it. One `findMany` of Prisma 7 with several `include`s takes one for each, outside a
   * transaction.
   */
  readonly connectionsEach: number
}

/**
 * The least pool that cannot lock up: concurrency x (connections each - 1) + 1. Below it, all can hold one connection and
 * wait for another for ever. For one pool.
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
    formula: `${concurrency} at once x (${connectionsEach} connections each - 1) + 1 = ${connections}`,
    source: `${HIKARI}#pool-locking`,
  }
}

function requireAmount(option: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new InvalidOptionError(option, value, 'a number of at least 0')
}

/** Against 7.000000000000001. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)))
}
