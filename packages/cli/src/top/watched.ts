import type { Contact, Pool } from '../database/contact.ts'
import { readLimits } from '../database/read-limits.ts'
import { readServerMoment, type ServerMissed } from '../database/read-server-moment.ts'
import { readSessionDetails } from '../database/read-session-details.ts'
import { type SessionSignal, signalSession } from '../database/signal-session.ts'
import type { EndpointOptions } from '../endpoint/ask-admin-endpoint.ts'
import { shownAddress } from '../endpoint/http-address.ts'
import { readPoolStats } from '../endpoint/read-pool-stats.ts'
import type { PoolerWatch } from '../monitor/watch-pooler.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import type { Session } from '../sessions/session.ts'
import type { ServerReading, TopSample } from './snapshot.ts'
import type { DetailsMode, SignalResult } from './state.ts'

export interface WatchedOptions {
  readonly database: Contact
  readonly pooler: PoolerWatch | undefined
  readonly apps: readonly EndpointOptions[]
  readonly showsQueries: boolean
}

/** PostgreSQL's insufficient_privilege. */
const DENIED = '42501'

/** What `top` watches: a server, its PgBouncer, and apps. No method rejects: an error is an answer too. */
export class Watched {
  readonly #options: WatchedOptions

  constructor(options: WatchedOptions) {
    this.#options = options
  }

  /** @param over gives up the requests to apps. */
  async sample(over: AbortSignal): Promise<TopSample> {
    const { database, pooler, apps, showsQueries } = this.#options
    const time = new Date().toISOString()
    const [server, pools, samples] = await Promise.all([
      readServer(database.pool, showsQueries),
      pooler?.sample(),
      Promise.all(
        apps.map(async (app) => ({
          address: shownAddress(app.url),
          sample: await readPoolStats({ ...app, signal: over }),
        })),
      ),
    ])
    return { time, server, pooler: pools, apps: samples }
  }

  details(session: Session): Promise<NonNullable<DetailsMode['details']>> {
    const { database, showsQueries } = this.#options
    return readSessionDetails(database.pool, session, { showsQueries })
  }

  async signal(signal: SessionSignal, session: Session): Promise<SignalResult> {
    // A statement that has ended is not cancelled, since another one may run; a session is ended whatever it runs.
    const target = signal === 'cancel' ? session : { ...session, changedAt: null }
    try {
      return (await signalSession(this.#options.database.pool, signal, target)) ? 'sent' : 'changed'
    } catch (error) {
      return { error: withPlainTexts(messageOf(error)), isDenied: Object(error).code === DENIED }
    }
  }
}

async function readServer(pool: Pool, showsQueries: boolean): Promise<ServerReading | ServerMissed> {
  const moment = await readServerMoment(pool, { showsQueries })
  if ('error' in moment) return moment
  const limits = withPlainTexts(await readLimits(pool).catch(() => []))
  return { ...moment, sessions: moment.sessions.filter(({ isOwn }) => !isOwn), limits }
}
