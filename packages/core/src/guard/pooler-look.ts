import { setTimeout as pause } from 'node:timers/promises'
import { type FleetView, LOCK_IF_FREE, publishStatement, readPoolerLook } from '../fleet/index.ts'
import { classifyConnectFailure } from '../pool/index.ts'
import { readPgBouncerClients, readPgBouncerConfig, readPgBouncerDatabases } from '../topology/index.ts'
import type { ConsoleOptions, PoolerConsole } from './guarded-driver.ts'
import type { Ask } from './server-look.ts'

/** For the console's login and each of its answers: the server cuts a look off that is silent for a second. */
const CONSOLE_MILLIS = 700
/** How long to try for the lock, and about how long between two attempts: others have it for a few milliseconds. */
const LOCK_MILLIS = 1_000
const RETRY_MILLIS = 20

export interface PoolerLookOptions {
  /** `app#id`. */
  readonly member: string
  readonly ask: Ask
  readonly openConsole: (options: Pick<ConsoleOptions, 'patienceMillis'>) => Promise<PoolerConsole>
  /** Connections of the member that are open for certain. */
  readonly open: () => number
}

/**
 * Looks at PgBouncer's clients through its console, and publishes what that leads to, under the same lock as on a server,
 * which is taken through the pooler and lasts for one transaction. Nothing is held while the console is being reached, and
 * while it is read no longer than {@link CONSOLE_MILLIS}.
 *
 * @throws {UnseenError} where the console does not show the fleet.
 */
export async function lookAtPooler(
  { member, ask, openConsole, open }: PoolerLookOptions,
  decide: (view: FleetView) => string,
): Promise<void> {
  const console = await orUnseen(openConsole({ patienceMillis: CONSOLE_MILLIS }))
  try {
    await lookThrough(console, { member, ask, open }, decide)
  } finally {
    // Whoever waited for its end would keep the lock meanwhile.
    console[Symbol.asyncDispose]().then(null, () => {})
  }
}

async function lookThrough(
  console: PoolerConsole,
  { member, ask, open }: Omit<PoolerLookOptions, 'openConsole'>,
  decide: (view: FleetView) => string,
): Promise<void> {
  const config = readPgBouncerConfig(await orUnseen(console.show('CONFIG')))
  const databases = readPgBouncerDatabases(await orUnseen(console.show('DATABASES')))
  await lock(ask)
  const openBefore = open()
  const clients = readPgBouncerClients(await orUnseen(console.show('CLIENTS')))
  const view = readPoolerLook({ config, databases, clients }, member)
  // Where several processes share a port, each shows its own clients, and admits so many of its own.
  if (!view || view.own < Math.min(openBefore, open())) {
    throw new UnseenError('behind a pooler whose console shows other clients than these')
  }
  await letThrough(ask(publishStatement(decide(view))))
  // Only now, so that PgBouncer knows the name before the next one looks.
  await letThrough(ask('commit'))
}

async function lock(ask: Ask): Promise<void> {
  const until = performance.now() + LOCK_MILLIS
  while ((await letThrough(ask(LOCK_IF_FREE))) !== 'true') {
    await letThrough(ask('rollback'))
    if (performance.now() > until) throw new Error('the lock of the fleets did not come free in time')
    await pause(RETRY_MILLIS * (0.5 + Math.random()))
  }
}

/** The instances cannot see each other; the message says why. */
export class UnseenError extends Error {
  /** It will not be otherwise in a moment: the pooler itself has said so. */
  readonly lasting: boolean

  constructor(why: string, { lasting = false, ...options }: ErrorOptions & { readonly lasting?: boolean } = {}) {
    super(why, options)
    this.lasting = lasting
  }
}

/** What the console answers. Where it says itself that it will not, there is no use in asking again soon. */
function orUnseen<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause) => {
    const { message, severity } = cause as Error & { severity?: unknown }
    const lasting = severity !== undefined && classifyConnectFailure(cause) === 'refused'
    const advice = lasting ? ': have its user in stats_users, or give fleet.consoleUrl' : ''
    throw new UnseenError(`behind a pooler whose console cannot be read (${message}${advice})`, { cause, lasting })
  })
}

/** What the server answers through the pooler, as it does not in statement mode. */
function letThrough<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause) => {
    const { message } = cause as Error
    throw new UnseenError(`behind a pooler that lets no look at the others through (${message})`, { cause })
  })
}
