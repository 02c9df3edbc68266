import { pause, systemClock } from '../../clock.ts'
import {
  type FleetView,
  haveSameFigures,
  type IgnoredConnections,
  TRY_LOCK_QUERY,
  trustClients,
  viewPooler,
} from '../../fleet/index.ts'
import { classifyConnectFailure, type ErrorFacts, isServerError, readError } from '../../postgres-errors/index.ts'
import { readPgBouncerClients, readPgBouncerConfig, readPgBouncerDatabases } from '../../topology/index.ts'
import type { ConsoleOptions, Login, PoolerConsole } from '../guarded-driver.ts'
import type { ExchangeQuery } from './server-exchange.ts'

/** Timeout for the console's login and each of its answers: PostgreSQL terminates the exchange's transaction after one idle second. */
const CONSOLE_TIMEOUT_MILLIS = 700
/**
 * How long to try to acquire the lock, and the average pause between attempts. Other instances hold it for milliseconds. No
 * caller can use the connection meanwhile, which may be the only one.
 */
const LOCK_TIMEOUT_MILLIS = 300
const RETRY_MILLIS = 20

export interface PoolerExchangeOptions {
  /** `app#id`. */
  readonly member: string
  readonly query: ExchangeQuery
  readonly openConsole: (options: Omit<ConsoleOptions, 'url'>) => Promise<PoolerConsole>
  /** The connection to the console that carries the instance's last publication. */
  readonly publisher: PoolerConsole | undefined
  /** Number of connections of this instance that are certainly open. */
  readonly open: () => number
  /** User and database of these connections. */
  readonly login: Login
  readonly trustedRoles: readonly string[]
  /** Called with the clients that are named like instances but have no trusted user. */
  readonly onIgnored: (connections: readonly IgnoredConnections[]) => void
}

/**
 * Reads the clients from PgBouncer's console and publishes this instance's figures, under the same lock as on a server. The
 * lock is taken through the pooler and lasts for one transaction. The publication is the name of a connection to the console, so
 * it occupies no server connection, but one client connection. Connecting to the console happens before the lock; reading
 * and publishing hold the lock for at most {@link CONSOLE_TIMEOUT_MILLIS}.
 *
 * @returns the connection that carries the publication.
 * @throws {FleetUnavailableError} if the console does not show this instance's clients.
 */
export async function exchangeThroughPooler(
  options: PoolerExchangeOptions,
  decide: (view: FleetView) => string,
): Promise<PoolerConsole> {
  const { publisher, openConsole, member } = options
  const kept = publisher && (await answers(publisher)) ? publisher : undefined
  const console =
    kept ?? (await requireConsole(openConsole({ patienceMillis: CONSOLE_TIMEOUT_MILLIS, applicationName: member })))
  try {
    return await exchangeOn(console, options, decide)
  } finally {
    if (!kept) closeConsole(console)
  }
}

/** The console may have closed the connection since the last exchange. */
function answers(console: PoolerConsole): Promise<boolean> {
  return console.show('VERSION').then(
    () => true,
    () => false,
  )
}

/** Does not wait for the disconnect, which would hold the lock longer. */
export function closeConsole(console: PoolerConsole): void {
  console[Symbol.asyncDispose]().then(null, () => {})
}

async function exchangeOn(
  console: PoolerConsole,
  { member, query, openConsole, open, publisher, login, trustedRoles, onIgnored }: PoolerExchangeOptions,
  decide: (view: FleetView) => string,
): Promise<PoolerConsole> {
  const config = await requireConsole(console.show('CONFIG').then(readPgBouncerConfig))
  const databases = await requireConsole(console.show('DATABASES').then(readPgBouncerDatabases))
  await lock(query)
  const until = systemClock.now() + CONSOLE_TIMEOUT_MILLIS
  const openBefore = open()
  const trust = { member, ...login, consoleUser: console.user, trustedRoles }
  const { view, ignored } = await requireConsole(
    console.show('CLIENTS').then((rows) => {
      const seen = trustClients(readPgBouncerClients(rows), trust)
      return { view: viewPooler({ config, databases, clients: seen.clients }, member), ignored: seen.ignored }
    }),
  )
  // If several PgBouncer processes share a port, each console shows only its own clients.
  if (!view || view.own < Math.min(openBefore, open())) {
    throw new FleetUnavailableError('behind a pooler whose console does not show the clients of this pool')
  }
  onIgnored(ignored)
  const applicationName = decide(view)
  if (console === publisher && haveSameFigures(applicationName, console.applicationName ?? '')) {
    await requireServer(query('commit'))
    return console
  }
  const patienceMillis = Math.max(1, until - systemClock.now())
  const next = await requireConsole(openConsole({ patienceMillis, applicationName }))
  try {
    // Commit after the login, so that PgBouncer knows the new name before the next instance acquires the lock.
    await requireServer(query('commit'))
    return next
  } catch (error) {
    closeConsole(next)
    throw error
  }
}

async function lock(query: ExchangeQuery): Promise<void> {
  const until = systemClock.now() + LOCK_TIMEOUT_MILLIS
  while ((await requireServer(query(TRY_LOCK_QUERY))) !== 'true') {
    if (systemClock.now() > until) throw new LockHeld()
    await requireServer(query('rollback'))
    await pause(RETRY_MILLIS * (0.5 + Math.random()))
  }
}

/** Another session held the lock for the whole time. Has the code of PostgreSQL's own error. */
class LockHeld extends Error {
  static {
    LockHeld.prototype.name = 'LockHeld'
  }

  readonly code = '55P03'

  constructor() {
    super(`another session held the lock of the fleets for ${LOCK_TIMEOUT_MILLIS} ms`)
  }
}

/**
 * What is known about an exchange that failed:
 *
 * - `rejected`: the pooler or the server rejects what an exchange needs.
 * - `slow-console`: the console did not answer in time, which proves nothing: this process or the pooler may be slow.
 * - `unanswered`: no server has answered through the pooler, so no instance can hold the lock.
 * - `no-server`: the pooler says that it has no server, so no instance can use connections.
 */
export type Unavailability = 'rejected' | 'slow-console' | 'unanswered' | 'no-server'

interface FleetUnavailableErrorOptions extends ErrorOptions {
  readonly retryable?: boolean
  readonly kind?: Unavailability
}

/** The instances cannot see each other; the message says why. */
export class FleetUnavailableError extends Error {
  static {
    FleetUnavailableError.prototype.name = 'FleetUnavailableError'
  }

  /** False if the pooler itself has rejected the request, so that a retry fails as well. */
  readonly retryable: boolean
  readonly kind: Unavailability

  constructor(why: string, { retryable = true, kind = 'rejected', ...options }: FleetUnavailableErrorOptions = {}) {
    super(why, options)
    this.retryable = retryable
    this.kind = kind
  }
}

/** Resolves to the console's answer. A rejection by PgBouncer itself is permanent. */
function requireConsole<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause) => {
    const { message } = readError(cause)
    const isRejected = isServerError(cause) && classifyConnectFailure(cause) === 'permanent'
    const advice = isRejected ? '; add the user to stats_users, or set fleet.consoleUrl' : ''
    const why = `behind a pooler whose console cannot be read (${message}${advice})`
    throw new FleetUnavailableError(why, {
      cause,
      retryable: !isRejected,
      kind: hasCode(cause) ? 'rejected' : 'slow-console',
    })
  })
}

/** Resolves to the server's answer through the pooler. It fails in statement mode, and while the pooler is paused. */
function requireServer<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause) => {
    // The next exchange may be faster.
    if (CANCELED.test(String((cause as { code?: unknown }).code))) throw cause
    const { message } = readError(cause)
    throw new FleetUnavailableError(
      `behind a pooler through which the instances cannot exchange their figures (${message})`,
      { cause, kind: isServerError(cause) ? kindOf(readError(cause)) : 'unanswered' },
    )
  })
}

/**
 * SQLSTATE classes of errors for lack of a server: connections, resources, shutdown. PgBouncer sends 08P01 for whatever ends a
 * connection: the server has crashed, a login has failed, or it repeats the error of a login that failed.
 */
const NO_SERVER = /^(?:08|53|57P)/
/** PgBouncer's error for a BEGIN in statement mode, also 08P01. */
const STATEMENT_MODE_TEXT = /statement pooling mode/i

function kindOf({ code, message }: ErrorFacts): Unavailability {
  return NO_SERVER.test(code) && !STATEMENT_MODE_TEXT.test(message) ? 'no-server' : 'rejected'
}

/** The server has ended the exchange: the query was canceled, or the session was idle for too long or terminated. */
const CANCELED = /^(?:57014|25P03|57P0\d)$/

/** Rejections have a code, an SQLSTATE or a network error code. A timeout of the driver has none. */
function hasCode(error: object): boolean {
  return typeof (error as { code?: unknown }).code === 'string'
}
