import type { Clock } from '../../clock.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { isReplaced, isSameRun, readRun, runExpression, type ServerRun } from './server-run.ts'
import { readSessions, type ServerSessions, type Session, sessionsQuery } from './server-sessions.ts'

/** A session belongs to a connection if both have the same age; clocks and logins may differ by this. */
const SAME_AGE_MILLIS = 2_000

export interface KnownSessionsOptions<C> {
  readonly driver: Pick<GuardedDriver<C>, 'awaiting' | 'isLost' | 'queryValue'>
  readonly clock: Clock
}

/**
 * What is known about the session of a connection:
 *
 * - `idle`: it waits for a statement, and has done so for some seconds
 * - `working`: it runs a statement, or did a moment ago
 * - `ended`: it has ended
 * - `replaced`: its server was restarted, or another one has taken over
 * - `unknown`: nothing, because another server has answered, which may have other sessions
 */
export type SessionState = 'idle' | 'working' | 'ended' | 'replaced' | 'unknown'

/** When the login of a connection began and ended, by the pool's clock. */
interface Opening {
  readonly began: number
  readonly ended: number
}

/** Knows on which run of which server each connection's session is. Several servers may be behind one address. */
export class KnownSessions<C extends object> {
  readonly #options: KnownSessionsOptions<C>
  readonly #openings = new WeakMap<C, Opening>()
  readonly #runs = new WeakMap<C, ServerRun>()
  /** What to ask for the run, the best first. What a server has rejected is not asked again. */
  #expressions = [runExpression({ withCluster: true }), runExpression({ withCluster: false })]

  constructor(options: KnownSessionsOptions<C>) {
    this.#options = options
  }

  /** Opens a connection, and remembers when. */
  async open(connect: () => Promise<C>): Promise<C> {
    const { clock } = this.#options
    const began = clock.now()
    const connection = await connect()
    this.#openings.set(connection, { began, ended: clock.now() })
    return connection
  }

  /**
   * Asks the server on the connection itself, in one round trip. If the server does not tell its run, the first answer about the session does.
   *
   * @throws the error if the connection is lost meanwhile.
   */
  async identify(connection: C): Promise<void> {
    if (this.isIdentified(connection)) return
    const { driver } = this.#options
    for (const expression of this.#expressions) {
      try {
        const run = readRun(await driver.queryValue(connection, `select ${expression}`))
        if (run) this.#runs.set(connection, run)
        return
      } catch (error) {
        if (driver.isLost(connection)) throw error
        if (!isNotSupported(error)) return
        this.#expressions = this.#expressions.filter((each) => each !== expression)
      }
    }
  }

  isIdentified(connection: C): boolean {
    return this.#runs.has(connection)
  }

  /**
   * Asks a server about the sessions of connections.
   *
   * @param query runs a statement there, and resolves to its first value.
   */
  async ask(
    connections: readonly C[],
    query: (text: string) => Promise<string | null | undefined>,
  ): Promise<ServerSessions | undefined> {
    const [expression] = this.#expressions
    if (expression === undefined) return undefined
    const pids = connections.map((connection) => this.#pidOf(connection))
    return readSessions(await query(sessionsQuery(pids, expression)))
  }

  /** What follows from a server's answer. If the connection's own server is not known yet, an answer with its session shows it. */
  stateOf(connection: C, server: ServerSessions): SessionState {
    const session = this.#sessionOf(connection, server)
    const run = this.#runs.get(connection) ?? (session && server.run)
    if (!run) return 'unknown'
    this.#runs.set(connection, run)
    if (!isSameRun(run, server.run)) return isReplaced(run, server.run) ? 'replaced' : 'unknown'
    if (!session) return 'ended'
    return session.isIdle ? 'idle' : 'working'
  }

  #sessionOf(connection: C, { sessions }: ServerSessions): Session | undefined {
    const session = sessions.get(this.#pidOf(connection))
    return session && this.#isSameAge(connection, session.ageMillis) ? session : undefined
  }

  /** Another server behind the same address, or a later session, may have the same pid. */
  #isSameAge(connection: C, ageMillis: number): boolean {
    const opening = this.#openings.get(connection)
    if (!opening) return false
    const now = this.#options.clock.now()
    return ageMillis >= now - opening.ended - SAME_AGE_MILLIS && ageMillis <= now - opening.began + SAME_AGE_MILLIS
  }

  #pidOf(connection: C): number {
    return this.#options.driver.awaiting(connection).announcedPid
  }
}

/** The role may not call a function, or the server does not have it. */
function isNotSupported(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' && (code.startsWith('42') || code === '0A000')
}
