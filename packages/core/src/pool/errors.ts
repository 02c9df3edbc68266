import { PoolguardError } from '../poolguard-error.ts'
import { stackOf } from './borrower.ts'
import type { ConnectFailure } from './connect-failure.ts'
import type { TrackedLease } from './lease.ts'
import type { PoolWaste } from './lease-observer.ts'
import type { LeaseReport } from './lease-report.ts'

/** A timeout mentions a blocked event loop if it was blocked for at least this share of the wait. */
const MENTIONED_SHARE = 0.1

const DEFAULT_RETRY_AFTER_MILLIS = 1_000

/** The state of a pool at the time of an error. */
export interface PoolState {
  readonly name: string
  readonly max: number
  /** Connections that callers may have at the same time; less than `max` with the setting `limit`. */
  readonly limit: number
  readonly total: number
  readonly idle: number
  readonly active: number
  readonly connecting: number
  readonly waiting: number
  /** At most three current leases, the oldest first. */
  readonly oldestLeases: readonly LeaseReport[]
  /** True if every holder of a lease waits for another lease, so that this caller cannot get one. */
  readonly deadlocked: boolean
  /** The caller's lane; absent in a pool without lanes. */
  readonly lane?: LaneState | undefined
  /** The budget that the pool shares with others. */
  readonly budget?: BudgetState | undefined
  /** Set if connections are in use without working, so that more of them would not help. */
  readonly waste?: PoolWaste | undefined
  /** Why the last attempt to connect failed; null if it succeeded. `advice` says how to fix it, if known. */
  readonly trouble: {
    readonly failure: ConnectFailure
    readonly error: unknown
    readonly advice?: string | undefined
  } | null
}

/** The state of a shared budget at the time of an error. */
export interface BudgetState {
  readonly name: string
  readonly max: number
  /** Connections of all pools. */
  readonly used: number
  /** Pools with connections or callers that wait. */
  readonly pools: number
}

/** The state of a lane at the time of an error. */
export interface LaneState {
  readonly name: string
  /** The most connections that its callers may have at the same time. */
  readonly max: number
  readonly active: number
  readonly waiting: number
  /** Why its callers could get no connection although the pool had some: the lane's own max, or the reserves of other lanes. */
  readonly limitedBy: 'max' | 'reserves' | null
}

/**
 * No connection became available in time. The message begins like pg-pool's, then describes the pool's state, the likely cause,
 * and the remedy. The stack also shows which callers hold the connections, if stacks are captured: unlike messages, stacks are not
 * sent to clients.
 */
export class AcquireTimeoutError extends PoolguardError {
  static {
    AcquireTimeoutError.prototype.name = 'AcquireTimeoutError'
  }

  readonly code = 'POOLGUARD_ACQUIRE_TIMEOUT'
  readonly waitedMillis: number
  readonly pool: PoolState

  /** @param blockedMillis how long the event loop was blocked during the wait. */
  constructor(waitedMillis: number, pool: PoolState, blockedMillis = 0) {
    super(
      `timeout exceeded when trying to connect. No connection from pool "${pool.name}" within ${Math.round(waitedMillis)} ms: ${describeState(pool)}. ` +
        explain(pool, blockedMillis > 0 && blockedMillis >= waitedMillis * MENTIONED_SHARE ? blockedMillis : 0),
      { cause: pool.trouble?.error },
    )
    this.waitedMillis = waitedMillis
    this.pool = pool
    this.stack += describeBorrowers(pool)
  }
}

/** `maxWaiters` callers wait already, so this caller was rejected immediately. */
export class PoolSaturatedError extends PoolguardError {
  static {
    PoolSaturatedError.prototype.name = 'PoolSaturatedError'
  }

  readonly code = 'POOLGUARD_SATURATED'
  readonly pool: PoolState
  /** How long to wait before trying again, in milliseconds; for the header Retry-After. */
  readonly retryAfterMillis: number

  constructor(pool: PoolState, maxWaiters: number, retryAfterMillis: number = DEFAULT_RETRY_AFTER_MILLIS) {
    super(
      `Pool "${pool.name}" is saturated: ${describeState(pool)}; maxWaiters is ${maxWaiters}. ` +
        'Shed load (answer 503), or find the code that holds connections for too long.',
    )
    this.pool = pool
    this.retryAfterMillis = retryAfterMillis
  }
}

/** The pool is shutting down or closed, and lends no connections. */
export class PoolClosedError extends PoolguardError {
  static {
    PoolClosedError.prototype.name = 'PoolClosedError'
  }

  readonly code = 'POOLGUARD_CLOSED'

  constructor(name: string) {
    super(`Pool "${name}" has been closed. Close the pool after its last use, or create a new one.`)
  }
}

/**
 * The fields of PostgreSQL errors as pg and postgres.js name them, and those of Node errors. Any other field may contain a password,
 * for example the configuration or the request in an error that a password function throws.
 */
const ERROR_FIELDS: readonly string[] = [
  ...['severity', 'severity_local', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where'],
  ...['internal_position', 'internal_query', 'schema', 'table', 'column', 'dataType', 'constraint', 'file', 'line'],
  ...['schema_name', 'table_name', 'column_name', 'data', 'type_name', 'constraint_name', 'routine', 'length'],
  ...['errno', 'syscall', 'hostname', 'address', 'port', 'dest', 'path'],
]

/**
 * No connection can be opened, and retrying does not help: the database does not exist, the password is wrong, or the certificate
 * is not trusted. It looks like the driver's own error, which is its `cause`: it has the same `code`, its message begins with the
 * same text, and it has the server's fields (`severity`, `detail`, `hint`, `routine`...) and Node's (`errno`, `syscall`, `address`,
 * `port`). `code` is `POOLGUARD_CONNECT` if the driver's error has no code.
 *
 * @example
 * try {
 *   await pool.query('select 1')
 * } catch (error) {
 *   if ((error as { code?: string }).code !== '3D000') throw error
 *   await createDatabase()
 * }
 */
export class ConnectError extends PoolguardError {
  static {
    ConnectError.prototype.name = 'ConnectError'
  }

  readonly code: string
  /** The pool's name. */
  readonly pool: string

  /** @param advice the remedy, a sentence without its full stop; it follows the driver's message. */
  constructor(pool: string, cause: unknown, advice?: string) {
    const message = messageOf(cause)
    super(advice === undefined ? message : `${message}. ${advice}.`, { cause })
    const { code, ...fields } = Object(cause)
    for (const name of ERROR_FIELDS) if (Object.hasOwn(fields, name)) Object.assign(this, { [name]: fields[name] })
    this.code = typeof code === 'string' ? code : 'POOLGUARD_CONNECT'
    this.pool = pool
  }
}

/** The counts of a pool, for messages. */
export function describeState(pool: PoolState): string {
  const { active, max, limit, idle, connecting, waiting, lane } = pool
  const bound = limit < max ? `${limit} (limit; max ${max})` : max
  const [oldest] = pool.oldestLeases
  const inLane = lane ? `; lane "${lane.name}": ${lane.active} of ${lane.max} active, ${lane.waiting} waiting` : ''
  const held = oldest ? ` (the oldest lease ${describeLease(oldest)})` : ''
  const { budget } = pool
  const inBudget = budget
    ? `; budget "${budget.name}": ${budget.used} of ${budget.max} connections used by ${budget.pools} pools`
    : ''
  return `${active} of ${bound} active${held}, ${idle} idle${connecting > 0 ? `, ${connecting} connecting` : ''}, ${waiting} waiting${inLane}${inBudget}`
}

function explain(pool: PoolState, blockedMillis: number): string {
  const advice = advise(pool)
  if (blockedMillis === 0)
    return advice ?? 'The connections are still being opened or closed: the server is slow to answer.'
  const blocked =
    `The event loop of this process was blocked for ${Math.round(blockedMillis)} ms of that time and could neither send nor ` +
    'read: find the slow synchronous work (node --cpu-prof), and move it to a worker thread.'
  return advice === undefined ? blocked : `${blocked} ${advice}`
}

function describeLease({ heldMillis, quietMillis, query }: LeaseReport): string {
  const running = query ? `, waiting for the answer to a query for ${Math.round(query.runningMillis)} ms` : ''
  return `out for ${Math.round(heldMillis)} ms, quiet for ${Math.round(quietMillis)} ms${running}`
}

/** For the stack only: the message may be sent to clients. */
function describeQuery({ query }: LeaseReport): string {
  return query?.text ? ` (${query.text})` : ''
}

function advise({ trouble, active, max, limit, deadlocked, waste, lane, budget }: PoolState): string | undefined {
  if (lane && (lane.limitedBy || deadlocked)) return adviseLane(lane, deadlocked)
  if (deadlocked) {
    return (
      'Every holder of a connection waits for another one: inside a transaction use its own handle (tx) for everything, ' +
      // https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing
      `or raise ${limit < max ? 'limit' : 'max'} to callers x (connections each needs - 1) + 1.`
    )
  }
  const advice = trouble?.advice === undefined ? '' : ` ${trouble.advice}.`
  if (trouble?.failure === 'full') {
    return `The server has no connection left (${messageOf(trouble.error)}): let the instances share the connections (option fleet), run fewer instances, or put PgBouncer in front.${advice}`
  }
  if (trouble?.failure === 'permanent')
    return `The server rejects new connections (${messageOf(trouble.error)}).${advice}`
  if (trouble) return `No connection can be opened at the moment (${messageOf(trouble.error)}).${advice}`
  if (active < max && budget && budget.used >= budget.max) {
    return (
      `The pools that share the budget "${budget.name}" use all its ${budget.max} connections: look for slow queries and for connections ` +
      'that are never released in any of them, or raise its max.'
    )
  }
  if (active >= limit && waste) {
    return (
      `All connections are in use, but run no statement for ${Math.round(waste.unusedShare * 100)} % of the time: find the code that holds ` +
      'them (this error.stack and pool.insight() name it). More connections would not help.'
    )
  }
  if (active >= limit) {
    return `All connections ${limit < max ? 'that the limit allows ' : ''}are in use: look for slow queries, for work inside transactions that could be done outside, and for connections that are never released.`
  }
  return undefined
}

/** The other lanes leave connections free that this lane may not use, or its callers wait for each other. */
function adviseLane({ name, max, limitedBy }: LaneState, deadlocked: boolean): string {
  const setting = {
    max: `raise lanes.${name}.max`,
    reserves: 'lower the reserves of the other lanes',
    none: 'raise max',
  }[limitedBy ?? 'none']
  if (deadlocked) {
    return (
      `Every caller that could release a connection for lane "${name}" waits for another one: inside a transaction use its own handle (tx) ` +
      `for everything, or ${setting}, so that there are callers x (connections each needs - 1) + 1.`
    )
  }
  const used =
    limitedBy === 'max'
      ? `uses all ${max} connections that it may use`
      : 'would need connections that are reserved for other lanes'
  return `Lane "${name}" ${used}: look for slow queries and for connections that are never released in it, or ${setting}.`
}

/** The stacks of the oldest leases, if captured, and the code that holds connections without using them: the end of the stack of an {@link AcquireTimeoutError}. */
export function describeBorrowers({ oldestLeases, waste }: PoolState): string {
  const known = oldestLeases.filter(({ stack }) => stack !== null)
  const borrowers = known
    .map((lease) => `\nA lease ${describeLease(lease)}${describeQuery(lease)} was borrowed\n${lease.stack}`)
    .join('')
  return waste ? `${borrowers}\n${waste.text}` : borrowers
}

/** A longer message is cut; `cause` has all of it. Messages may come from a server, and each waiter gets its own error. */
const MAX_MESSAGE_LENGTH = 4_096

function messageOf(error: unknown): string {
  // For a host name with several addresses, Node throws an AggregateError without a message.
  const message =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map(messageOf).join(', ')
      : error instanceof Error
        ? error.message || error.name
        : String(error)
  return message.slice(0, MAX_MESSAGE_LENGTH)
}

const hookErrors = new WeakSet<object>()

/**
 * Thrown by a factory's `open` if the app's own code failed on the new connection. The caller that waits longest is rejected with
 * the original error, as by the driver's own pool.
 */
export class HookFailure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
    if (typeof error === 'object' && error !== null) hookErrors.add(error)
  }
}

/** Whether the app's own code threw the error while a connection was opened. */
export function isOfHook(error: unknown): boolean {
  return typeof error === 'object' && error !== null && hookErrors.has(error)
}

/** A checkout that has ended. */
export interface EndedCheckout {
  readonly acquiredMillisAgo: number
  readonly releasedMillisAgo: number
  /** The stack of its acquire, one frame per line; null if stacks are not captured. */
  readonly acquiredStack: string | null
}

/** A connection was released a second time. The second release did nothing. */
export class AlreadyReleasedError extends PoolguardError {
  static {
    AlreadyReleasedError.prototype.name = 'AlreadyReleasedError'
  }

  readonly code = 'POOLGUARD_ALREADY_RELEASED'

  /** @param driverMessage the driver's own message for this case; the error's message begins with it. */
  constructor(driverMessage: string, pool: string, checkout: EndedCheckout) {
    super(
      `${driverMessage} ${describeCheckout(pool, checkout)}, so this call does nothing. ` +
        'Release each checkout once, in one finally block; the stack shows the second release.',
    )
    this.stack += describeAcquisition(checkout)
  }
}

/** A caller sent a query on a connection that it had released. The query was not run. */
export class QueryAfterReleaseError extends PoolguardError {
  static {
    QueryAfterReleaseError.prototype.name = 'QueryAfterReleaseError'
  }

  readonly code = 'POOLGUARD_QUERY_AFTER_RELEASE'

  constructor(pool: string, checkout: EndedCheckout) {
    super(
      `Query on a client that has been released to the pool. ${describeCheckout(pool, checkout)}, and another caller may ` +
        'be using the connection now. Await every query before the release, and keep no reference to the client or the ' +
        'transaction after it.',
    )
    this.stack += describeAcquisition(checkout)
  }
}

export function endedCheckoutOf({ since, endedAt, borrower }: TrackedLease<unknown>, now: number): EndedCheckout {
  return { acquiredMillisAgo: now - since, releasedMillisAgo: now - endedAt, acquiredStack: stackOf(borrower) }
}

function describeCheckout(pool: string, { acquiredMillisAgo, releasedMillisAgo }: EndedCheckout): string {
  const [acquired, released] = [Math.round(acquiredMillisAgo), Math.round(releasedMillisAgo)]
  return `Pool "${pool}": this checkout began ${acquired} ms ago and ended ${released} ms ago`
}

function describeAcquisition({ acquiredStack }: EndedCheckout): string {
  return acquiredStack === null ? '' : `\nThe checkout was acquired\n${acquiredStack}`
}
