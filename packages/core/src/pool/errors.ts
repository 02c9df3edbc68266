import { PoolguardError } from '../poolguard-error.ts'
import { stackOf } from './borrower.ts'
import type { ConnectFailure } from './connect-failure.ts'
import type { TrackedLease } from './lease.ts'
import type { LeaseReport } from './lease-report.ts'

/** A timeout mentions that the event loop was blocked from this share of the wait on. */
const MENTIONED_SHARE = 0.1

/** What the pool looked like when it had to say no. */
export interface PoolState {
  readonly name: string
  readonly max: number
  readonly total: number
  readonly idle: number
  readonly active: number
  readonly connecting: number
  readonly waiting: number
  /** The leases that have been out longest, three at most, the oldest first. */
  readonly oldestLeases: readonly LeaseReport[]
  /** Every holder of a lease waits for another one. */
  readonly deadlocked: boolean
  /** Why connections cannot be opened at the moment; null where they can. `advice` is what to do about it, where that is known. */
  readonly trouble: {
    readonly failure: ConnectFailure
    readonly error: unknown
    readonly advice?: string | undefined
  } | null
}

/**
 * No connection came free in time. The message begins as pg-pool's does, and says what the pool looked like, the likely cause,
 * and what to do; the stack also who holds the connections, where that is known. A message may be sent to clients, a stack is not.
 */
export class AcquireTimeoutError extends PoolguardError {
  static {
    AcquireTimeoutError.prototype.name = 'AcquireTimeoutError'
  }

  readonly code = 'POOLGUARD_ACQUIRE_TIMEOUT'
  readonly waitedMillis: number
  readonly pool: PoolState

  /** @param blockedMillis how long the event loop was blocked meanwhile. */
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

/** So many callers wait already that this one was turned away at once. */
export class PoolSaturatedError extends PoolguardError {
  static {
    PoolSaturatedError.prototype.name = 'PoolSaturatedError'
  }

  readonly code = 'POOLGUARD_SATURATED'
  readonly pool: PoolState

  constructor(pool: PoolState, maxWaiters: number) {
    super(
      `Pool "${pool.name}" is saturated: ${describeState(pool)}; maxWaiters is ${maxWaiters}. ` +
        'Shed load (answer 503), or find what holds the connections so long.',
    )
    this.pool = pool
  }
}

/** The pool is closing or closed: it lends no more. */
export class PoolClosedError extends PoolguardError {
  static {
    PoolClosedError.prototype.name = 'PoolClosedError'
  }

  readonly code = 'POOLGUARD_CLOSED'

  constructor(name: string) {
    super(`Pool "${name}" has been closed. Close it after the last user of it, or make a new one.`)
  }
}

/**
 * The fields of PostgreSQL's errors as pg and postgres.js call them, and those of Node's. Others may be a configuration or a
 * request, with a password in it, such as those of an error that a password function has thrown.
 */
const ERROR_FIELDS: readonly string[] = [
  ...['severity', 'severity_local', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery', 'where'],
  ...['internal_position', 'internal_query', 'schema', 'table', 'column', 'dataType', 'constraint', 'file', 'line'],
  ...['schema_name', 'table_name', 'column_name', 'data', 'type_name', 'constraint_name', 'routine', 'length'],
  ...['errno', 'syscall', 'hostname', 'address', 'port', 'dest', 'path'],
]

/**
 * No connection can be opened, and retrying does not help: no such database, a wrong password, a certificate that is not
 * trusted. It looks like the driver's own error, which is its `cause`: the same `code`, and the message begins with the
 * same text; the server's fields (`severity`, `detail`, `hint`, `routine`...) and Node's (`errno`, `syscall`, `address`, `port`)
 * are there, too. `code` is `POOLGUARD_CONNECT` where the driver's error has none.
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

  /** @param advice what to do, as a sentence without its full stop; it follows the driver's message. */
  constructor(pool: string, cause: unknown, advice?: string) {
    const message = messageOf(cause)
    super(advice === undefined ? message : `${message}. ${advice}.`, { cause })
    const { code, ...fields } = Object(cause)
    for (const name of ERROR_FIELDS) if (Object.hasOwn(fields, name)) Object.assign(this, { [name]: fields[name] })
    this.code = typeof code === 'string' ? code : 'POOLGUARD_CONNECT'
    this.pool = pool
  }
}

function describeState({ active, max, idle, connecting, waiting, oldestLeases: [oldest] }: PoolState): string {
  const held = oldest ? ` (the oldest lease ${describeLease(oldest)})` : ''
  return `${active} of ${max} active${held}, ${idle} idle${connecting > 0 ? `, ${connecting} connecting` : ''}, ${waiting} waiting`
}

function explain(pool: PoolState, blockedMillis: number): string {
  const advice = advise(pool)
  if (blockedMillis === 0)
    return advice ?? 'The connections are still being opened or closed: the server is slow to answer.'
  const blocked =
    `The event loop of this process was blocked for ${Math.round(blockedMillis)} ms of that time, in which it could neither ` +
    'send nor read: find the synchronous work that takes so long (node --cpu-prof), and move it to a worker thread.'
  return advice === undefined ? blocked : `${blocked} ${advice}`
}

function describeLease({ heldMillis, quietMillis, query }: LeaseReport): string {
  const running = query ? `, waiting for the answer to a query for ${Math.round(query.runningMillis)} ms` : ''
  return `out for ${Math.round(heldMillis)} ms, quiet for ${Math.round(quietMillis)} ms${running}`
}

/** Not for the message, which may be sent to clients. */
function describeQuery({ query }: LeaseReport): string {
  return query?.text ? ` (${query.text})` : ''
}

function advise({ trouble, active, max, deadlocked }: PoolState): string | undefined {
  if (deadlocked) {
    return (
      'Every holder of a connection waits for another one: inside a transaction use its own handle (tx) for everything, ' +
      // https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing
      'or raise max to callers x (connections each needs - 1) + 1.'
    )
  }
  const advice = trouble?.advice === undefined ? '' : ` ${trouble.advice}.`
  if (trouble?.failure === 'full') {
    return `The server has no connection left (${messageOf(trouble.error)}): let the instances share what there is (option fleet), run fewer, or put PgBouncer in front.${advice}`
  }
  if (trouble?.failure === 'permanent')
    return `The server refuses new connections (${messageOf(trouble.error)}).${advice}`
  if (trouble) return `No connection can be opened at the moment (${messageOf(trouble.error)}).${advice}`
  if (active >= max) {
    return 'All connections are in use: look for slow queries, for work done inside transactions that could be done outside, and for connections never released.'
  }
  return undefined
}

/** Who holds the connections, where that is known: the end of the stack of an {@link AcquireTimeoutError}. */
export function describeBorrowers({ oldestLeases }: PoolState): string {
  const known = oldestLeases.filter(({ stack }) => stack !== null)
  return known
    .map((lease) => `\nA lease ${describeLease(lease)}${describeQuery(lease)} was borrowed\n${lease.stack}`)
    .join('')
}

/** Of a longer message the rest is in `cause`: it may come from a server, and each waiter gets an error of its own. */
const MAX_MESSAGE_LENGTH = 4_096

function messageOf(error: unknown): string {
  // Node's, of a name with several addresses, has no message of its own.
  const message =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map(messageOf).join(', ')
      : error instanceof Error
        ? error.message || error.name
        : String(error)
  return message.slice(0, MAX_MESSAGE_LENGTH)
}

const failures = new WeakSet<object>()

/**
 * Thrown by a factory's `open` where the app's own code has failed on a connection that was opened. The caller that waits
 * longest gets the error as it is, as from the driver's own pool.
 */
export class HookFailure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
    if (typeof error === 'object' && error !== null) failures.add(error)
  }
}

/** Whether an error was thrown by the app's own code while a connection was opened. */
export function isOfHook(error: unknown): boolean {
  return typeof error === 'object' && error !== null && failures.has(error)
}

/** When a checkout began and ended, to the millisecond. */
export interface EndedCheckout {
  readonly acquiredMillisAgo: number
  readonly releasedMillisAgo: number
  /** Where it was acquired, a frame a line; null where stacks are not captured. */
  readonly acquiredStack: string | null
}

/** A connection was released a second time. The second release did nothing. */
export class AlreadyReleasedError extends PoolguardError {
  static {
    AlreadyReleasedError.prototype.name = 'AlreadyReleasedError'
  }

  readonly code = 'POOLGUARD_ALREADY_RELEASED'

  /** @param driverMessage what the driver itself says of it, with which the message begins. */
  constructor(driverMessage: string, pool: string, checkout: EndedCheckout) {
    super(
      `${driverMessage} ${describeCheckout(pool, checkout)}, so this call does nothing. ` +
        'Release each checkout once, in one finally block; the stack shows the second release.',
    )
    this.stack += describeAcquisition(checkout)
  }
}

/** A query was sent on a connection that its caller had released. It was not run. */
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
