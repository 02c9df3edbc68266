import { pause, systemClock } from '../../clock.ts'
import {
  type FleetView,
  type IgnoredConnections,
  LOCK_IF_FREE,
  readPoolerLook,
  tellTheSame,
  trustClients,
} from '../../fleet/index.ts'
import { classifyConnectFailure, isServerError, readError } from '../../postgres-errors/index.ts'
import { readPgBouncerClients, readPgBouncerConfig, readPgBouncerDatabases } from '../../topology/index.ts'
import type { ConsoleOptions, Login, PoolerConsole } from '../guarded-driver.ts'
import type { Ask } from './server-exchange.ts'

/** For the console's login and each of its answers: the server cuts a look off that is silent for a second. */
const CONSOLE_MILLIS = 700
/**
 * How long to try for the lock, and about how long between two attempts: others have it for some milliseconds. Meanwhile no
 * caller has the connection, which may be the only one.
 */
const LOCK_MILLIS = 300
const RETRY_MILLIS = 20

export interface PoolerLookOptions {
  /** `app#id`. */
  readonly member: string
  readonly ask: Ask
  readonly openConsole: (options: Omit<ConsoleOptions, 'url'>) => Promise<PoolerConsole>
  /** What the member has published last stands on it. */
  readonly publisher: PoolerConsole | undefined
  /** Connections of the member that are open for certain. */
  readonly open: () => number
  /** What they have logged in to. */
  readonly login: Login
  readonly trustedRoles: readonly string[]
  /** Clients that look like instances, but are not of a trusted user. */
  readonly onIgnored: (connections: readonly IgnoredConnections[]) => void
}

/**
 * Looks at PgBouncer's clients through its console, and publishes what that leads to, under the same lock as on a server,
 * which is taken through the pooler and lasts for one transaction. What is published is the name of a connection to the
 * console, so that no server connection has to carry it; it takes one client's place. Nothing is held while the console is being
 * reached, and while it is read and told no longer than {@link CONSOLE_MILLIS}.
 *
 * @returns the connection on which the publication stands.
 * @throws {UnseenError} where the console does not show the fleet.
 */
export async function lookAtPooler(
  options: PoolerLookOptions,
  decide: (view: FleetView) => string,
): Promise<PoolerConsole> {
  const { publisher, openConsole, member } = options
  const kept = publisher && (await answers(publisher)) ? publisher : undefined
  const console = kept ?? (await orUnseen(openConsole({ patienceMillis: CONSOLE_MILLIS, applicationName: member })))
  try {
    return await lookThrough(console, options, decide)
  } finally {
    if (!kept) closeConsole(console)
  }
}

/** It may have been cut off since. */
function answers(console: PoolerConsole): Promise<boolean> {
  return console.show('VERSION').then(
    () => true,
    () => false,
  )
}

/** Nobody waits for its end: whoever did would keep the lock meanwhile. */
export function closeConsole(console: PoolerConsole): void {
  console[Symbol.asyncDispose]().then(null, () => {})
}

async function lookThrough(
  console: PoolerConsole,
  { member, ask, openConsole, open, publisher, login, trustedRoles, onIgnored }: PoolerLookOptions,
  decide: (view: FleetView) => string,
): Promise<PoolerConsole> {
  const config = await orUnseen(console.show('CONFIG').then(readPgBouncerConfig))
  const databases = await orUnseen(console.show('DATABASES').then(readPgBouncerDatabases))
  await lock(ask)
  const until = systemClock.now() + CONSOLE_MILLIS
  const openBefore = open()
  const trust = { member, ...login, consoleUser: console.user, trustedRoles }
  const { view, ignored } = await orUnseen(
    console.show('CLIENTS').then((rows) => {
      const seen = trustClients(readPgBouncerClients(rows), trust)
      return { view: readPoolerLook({ config, databases, clients: seen.clients }, member), ignored: seen.ignored }
    }),
  )
  // Where several processes share a port, each shows its own clients, and admits so many of its own.
  if (!view || view.own < Math.min(openBefore, open())) {
    throw new UnseenError('behind a pooler whose console shows other clients than these')
  }
  onIgnored(ignored)
  const applicationName = decide(view)
  if (console === publisher && tellTheSame(applicationName, console.applicationName ?? '')) {
    await letThrough(ask('commit'))
    return console
  }
  const patienceMillis = Math.max(1, until - systemClock.now())
  const next = await orUnseen(openConsole({ patienceMillis, applicationName }))
  try {
    // Only now, so that PgBouncer knows the name before the next one looks.
    await letThrough(ask('commit'))
    return next
  } catch (error) {
    closeConsole(next)
    throw error
  }
}

async function lock(ask: Ask): Promise<void> {
  const until = systemClock.now() + LOCK_MILLIS
  while ((await letThrough(ask(LOCK_IF_FREE))) !== 'true') {
    if (systemClock.now() > until) throw new LockHeld()
    await letThrough(ask('rollback'))
    await pause(RETRY_MILLIS * (0.5 + Math.random()))
  }
}

/** Another session had the fleets' lock all the time. A server says the same by the same code. */
class LockHeld extends Error {
  static {
    LockHeld.prototype.name = 'LockHeld'
  }

  readonly code = '55P03'

  constructor() {
    super('the lock of the fleets did not come free in time')
  }
}

interface UnseenErrorOptions extends ErrorOptions {
  readonly lasting?: boolean
  readonly passing?: boolean
  readonly late?: boolean
}

/** The instances cannot see each other; the message says why. */
export class UnseenError extends Error {
  static {
    UnseenError.prototype.name = 'UnseenError'
  }

  /** It will not be otherwise in a moment: the pooler itself has said so. */
  readonly lasting: boolean
  /** No server has answered through the pooler, so that nobody can have the lock. */
  readonly passing: boolean
  /** Nothing has answered in time, which proves nothing: this process, or the pooler's, may be slow. */
  readonly late: boolean

  constructor(why: string, { lasting = false, passing = false, late = false, ...options }: UnseenErrorOptions = {}) {
    super(why, options)
    this.lasting = lasting
    this.passing = passing
    this.late = late
  }
}

/** What the console answers. Where it says itself that it will not, there is no use in asking again soon. */
function orUnseen<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause) => {
    const { message } = readError(cause)
    const lasting = isServerError(cause) && classifyConnectFailure(cause) === 'permanent'
    const advice = lasting ? ': have its user in stats_users, or give fleet.consoleUrl' : ''
    const why = `behind a pooler whose console cannot be read (${message}${advice})`
    throw new UnseenError(why, { cause, lasting, late: !hasCode(cause) })
  })
}

/** What the server answers through the pooler, as it does not in statement mode, and not while the pooler is paused. */
function letThrough<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause) => {
    // The next look may be faster.
    if (TOO_SLOW.test(String((cause as { code?: unknown }).code))) throw cause
    const { message } = readError(cause)
    const passing = !isServerError(cause)
    throw new UnseenError(`behind a pooler that lets no look at the others through (${message})`, { cause, passing })
  })
}

/** The server has ended the look: it was canceled, or its session was idle for too long, or was terminated. */
const TOO_SLOW = /^(?:57014|25P03|57P0\d)$/

/** Refusals have a code: an SQLSTATE, or that of the network. A timeout of the driver has none. */
function hasCode(error: object): boolean {
  return typeof (error as { code?: unknown }).code === 'string'
}
