import { InvalidOptionError } from '../invalid-option-error.ts'

/** A number of connections, or a percentage of the pool's `max`, as in `'50%'`. */
export type ConnectionShare = number | `${number}%`

/** One kind of work of a pool: how many of its connections it may use, and how many are kept for it. */
export interface LaneSettings {
  /** The most connections that the lane's callers have at the same time. Default: all. */
  readonly max?: ConnectionShare | undefined
  /**
   * Connections that other lanes leave free for this lane while it does not use them. Default: 0. The reserves are lowered if the pool's
   * `max` is too small for them, so that every lane can get a connection.
   */
  readonly reserve?: ConnectionShare | undefined
  /**
   * How often the lane is served while callers of several lanes wait: a lane with priority 4 gets four connections that become free for
   * each one that a lane with priority 1 gets. Default: 1.
   */
  readonly priority?: number | undefined
}

/** The lanes of a pool by name. The lane `default` has the callers without a lane; it exists also if it is not named here. */
export type LanesOptions = Readonly<Record<string, LaneSettings>>

/** The lane of callers without a lane. */
export const DEFAULT_LANE = 'default'

/** Each acquire looks at every lane. */
const MAX_LANES = 16
const LANE_NAME = /^[\w.-]{1,40}$/

/** The connections of one lane in a pool of a certain size. */
export interface LaneQuota {
  readonly name: string
  readonly max: number
  readonly reserve: number
  readonly priority: number
  /** The max that it has however large the pool is: a number that was given, or Infinity. */
  readonly ceiling: number
  /** Where the numbers come from. */
  readonly reason: string
}

/** @throws {InvalidOptionError} for a name that is not a lane's name. */
export function requireLaneName(option: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && LANE_NAME.test(name)) return
  throw new InvalidOptionError(option, name, 'the name of a lane: up to 40 letters, digits, `.`, `_` and `-`')
}

/** @throws {InvalidOptionError} names the option and the value. */
export function validateLanes(lanes: LanesOptions): void {
  if (typeof lanes !== 'object' || lanes === null || Array.isArray(lanes))
    throw new InvalidOptionError('lanes', lanes, "an object, as in { web: {}, jobs: { max: '50%' } }")
  const all = Object.entries(lanes)
  if (all.length > MAX_LANES) throw new InvalidOptionError('lanes', lanes, `at most ${MAX_LANES} lanes`)
  for (const [name, lane] of all) validateLane(name, lane)
  const reserved = all.reduce((sum, [, { reserve }]) => sum + (percentOf(reserve) ?? 0), 0)
  if (reserved > 100)
    throw new InvalidOptionError('lanes', lanes, `reserves of at most 100 % together; they are ${reserved} %`)
}

function validateLane(name: string, lane: LaneSettings): void {
  requireLaneName('lanes', name)
  const option = `lanes.${name}`
  if (typeof lane !== 'object' || lane === null)
    throw new InvalidOptionError(option, lane, "an object, as in { max: '50%', reserve: 1, priority: 2 }")
  const known: Readonly<Record<keyof LaneSettings, true>> = { max: true, reserve: true, priority: true }
  for (const [key, value] of Object.entries(lane)) {
    if (Object.hasOwn(known, key)) continue
    const wanted = `no value: a lane has no such setting, only ${Object.keys(known).join(', ')}`
    throw new InvalidOptionError(`${option}.${key}`, value, wanted)
  }
  const { max, reserve, priority } = lane
  if (max !== undefined) requireShare(`${option}.max`, max, 1)
  if (reserve !== undefined) requireShare(`${option}.reserve`, reserve, 0)
  if (priority !== undefined && !(typeof priority === 'number' && priority > 0 && priority < Infinity))
    throw new InvalidOptionError(`${option}.priority`, priority, 'a number greater than 0')
  if (max !== undefined && reserve !== undefined && isLess(max, reserve))
    throw new InvalidOptionError(`${option}.reserve`, reserve, `no more than ${option}.max, which is ${max}`)
}

function requireShare(option: string, value: unknown, least: number): void {
  const percent = percentOf(value)
  const isPercentage = percent !== undefined && percent >= least && percent <= 100
  if (isPercentage || (Number.isSafeInteger(value) && (value as number) >= least)) return
  throw new InvalidOptionError(
    option,
    value,
    `a number of connections of at least ${least}, or a percentage from ${least}% to 100%`,
  )
}

/** Undefined for a number of connections. */
function percentOf(share: unknown): number | undefined {
  const digits = typeof share === 'string' ? /^(\d{1,3}(?:\.\d+)?)%$/.exec(share)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

/** Numbers and percentages can only be compared once the pool's `max` is known. */
function isLess(a: ConnectionShare, b: ConnectionShare): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  return (percentOf(a) ?? Infinity) < (percentOf(b) ?? -Infinity)
}

/** The quota of each lane in a pool with `poolMax` connections, in the order of the options; the lane `default` is last unless it is named. */
export function divideAmongLanes(lanes: LanesOptions, poolMax: number): readonly LaneQuota[] {
  const all = Object.entries(Object.hasOwn(lanes, DEFAULT_LANE) ? lanes : { ...lanes, [DEFAULT_LANE]: {} })
  const maxima = all.map(([, { max }]) => Math.min(poolMax, Math.max(1, connectionsOf(max ?? poolMax, poolMax))))
  const wanted = all.map(([, { reserve }], i) => Math.min(connectionsOf(reserve ?? 0, poolMax), maxima[i] ?? 0))
  const reserves = lowerReserves(wanted, poolMax)
  return all.map(([name, { max, reserve, priority = 1 }], i) => {
    const quota = { max: maxima[i] ?? 0, reserve: reserves[i] ?? 0 }
    const reasons = [describeMax(max, poolMax), describeReserve(reserve, quota.reserve, wanted[i] ?? 0, poolMax)]
    const ceiling = typeof max === 'number' ? max : Infinity
    return { name, ...quota, priority, ceiling, reason: reasons.filter(Boolean).join('; ') || 'default' }
  })
}

function connectionsOf(share: ConnectionShare, poolMax: number): number {
  return typeof share === 'number' ? share : Math.floor((poolMax * (percentOf(share) ?? 0)) / 100)
}

/**
 * Lowers the largest reserves until every lane can get a connection: those without a reserve need one that is not reserved. Among equal
 * ones, the last is lowered.
 */
function lowerReserves(wanted: readonly number[], poolMax: number): readonly number[] {
  const reserves = [...wanted]
  const available = () => poolMax - (reserves.includes(0) ? 1 : 0)
  while (reserves.reduce((sum, reserve) => sum + reserve, 0) > available()) {
    const largest = Math.max(...reserves)
    const index = reserves.lastIndexOf(largest)
    reserves[index] = largest - 1
  }
  return reserves
}

function describeMax(max: ConnectionShare | undefined, poolMax: number): string | undefined {
  if (max === undefined) return undefined
  return typeof max === 'number' ? 'max given' : `max is ${max} of ${poolMax}`
}

function describeReserve(
  given: ConnectionShare | undefined,
  reserve: number,
  wanted: number,
  poolMax: number,
): string | undefined {
  if (given === undefined) return undefined
  const lowered = `lowered so that every lane can get one of the pool's ${poolMax}`
  if (reserve < wanted) return `reserve given as ${given}, ${lowered}`
  return typeof given === 'number' ? 'reserve given' : `reserve is ${given} of ${poolMax}`
}
