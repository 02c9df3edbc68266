import { abortAfter, type Clock, systemClock } from '../../clock.ts'
import type { CloseReason, OpenContext } from '../../pool/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { HostMemory } from './host-memory.ts'
import type { HostPlan, ServerAddress } from './host-plan.ts'
import { UnsuitableRoleError } from './no-suitable-host.ts'
import { describeServer, keyOf } from './resolve-hosts.ts'
import { isRejection, ServerSearch } from './server-search.ts'
import { isSuitable, mayBeSpare, ROLE_QUERY, readRole, reportedRole, type SessionRole } from './session-role.ts'

export interface HostsOptions<C> {
  readonly plan: HostPlan
  readonly driver: GuardedDriver<C>
  /** Whether a pooler is in between, which may report the role of a server that it has replaced since. */
  readonly isPooled: () => boolean
  readonly connectTimeoutMillis: () => number
  /** Closes matching connections: idle ones now, those in use at their release. */
  readonly retire: (matches: (connection: C) => boolean) => void
  /** Called after new connections have gone to another server, because the one before is gone or has changed its role. */
  readonly onFailover: (message: string) => void
  readonly clock?: Clock
  readonly random?: () => number
}

/** The server of an open connection. */
interface Member {
  readonly key: string
  readonly server: ServerAddress
}

/**
 * Chooses the server of each new connection as libpq does, and follows the primary: it remembers which servers failed, and closes the
 * connections to a server that has changed its role or was replaced.
 */
export class Hosts<C extends object> {
  readonly #options: HostsOptions<C>
  readonly #memory: HostMemory
  readonly #search: ServerSearch<C>
  readonly #members = new Map<C, Member>()
  /** Servers whose connections are closed: another one has taken over. */
  readonly #left = new Set<string>()

  constructor(options: HostsOptions<C>) {
    this.#options = options
    const { plan, driver, connectTimeoutMillis, clock = systemClock, random = Math.random } = options
    this.#memory = new HostMemory(() => clock.now())
    this.#search = new ServerSearch({
      ...{ plan, driver, connectTimeoutMillis, clock, random, memory: this.#memory },
      roleOf: (connection) => this.#roleOf(connection),
      onFound: (server) => this.#succeeded(server),
      onFailed: (server, error) => this.#failed(server, error),
      onUnanswered: (server) => this.onUnanswered(server),
    })
  }

  /**
   * Opens a connection to the first suitable server.
   *
   * @throws the error of a server that rejects the login, or an error that names all servers.
   */
  async open(context: OpenContext): Promise<C> {
    const { connection, server, loss } = await this.#search.find(context)
    loss.accept()
    this.#members.set(connection, { key: keyOf(server), server })
    this.#options.driver.healthOf(connection).onReadOnly = () => this.#onReadOnly(connection)
    return connection
  }

  async #roleOf(connection: C): Promise<SessionRole> {
    const { driver } = this.#options
    const role = this.#reportedRole(connection) ?? readRole(await driver.queryValue(connection, ROLE_QUERY))
    if (!role) throw new Error('the server gives no valid answer to the query for its role')
    return role
  }

  /** Undefined behind a pooler, too, which may report the role of an earlier server. */
  #reportedRole(connection: C): SessionRole | undefined {
    const { driver, isPooled } = this.#options
    return isPooled() ? undefined : reportedRole((name) => driver.parameterOf(connection, name))
  }

  /** The role that the server has reported, if the connection may not be used because of it. */
  #unsuitableRole(connection: C): SessionRole | undefined {
    const { target } = this.#options.plan
    const role = this.#reportedRole(connection)
    return role && !mayBeSpare(target) && !isSuitable(role, target) ? role : undefined
  }

  #failed(server: ServerAddress, error: unknown): void {
    const key = keyOf(server)
    if (error instanceof UnsuitableRoleError) {
      this.#memory.failed(key, 'unsuitable', error)
      this.#leave(key)
    } else if (!isRejection(error)) this.#memory.failed(key, 'unreachable', error)
  }

  #succeeded(server: ServerAddress): void {
    const key = keyOf(server)
    const { home } = this.#memory
    const failure = home === undefined || home === key ? undefined : this.#memory.failureOf(home)
    this.#memory.succeeded(key)
    this.#left.delete(key)
    if (this.followsPrimary) this.#leaveUnreachable()
    if (failure) this.#options.onFailover(describeFailover(server, home as string, failure))
  }

  /** If another server is the primary, one that cannot be reached is not. */
  #leaveUnreachable(): void {
    for (const { key } of this.#members.values()) if (this.#memory.failureOf(key) === 'unreachable') this.#leave(key)
  }

  get followsPrimary(): boolean {
    const { target } = this.#options.plan
    return target === 'primary' || target === 'read-write'
  }

  #leave(key: string): void {
    if (this.#left.has(key)) return
    this.#left.add(key)
    // One attempt finds out, while the others wait.
    this.#memory.doubted(key)
    this.#options.retire((connection) => this.#members.get(connection)?.key === key)
  }

  /**
   * Rejects a new connection by what its server has reported at login, before anything is sent on it.
   *
   * @throws {UnsuitableRoleError}
   */
  rejectUnsuitable(connection: C): void {
    const role = this.#unsuitableRole(connection)
    if (role) throw new UnsuitableRoleError(role)
  }

  /** Whether a connection may be lent again. If its server has changed its role, the other connections to that server are closed too. */
  isFit(connection: C): boolean {
    const member = this.#members.get(connection)
    if (!member || this.#options.plan.target === 'any') return true
    // The memory does not change: the app may have made this session alone read-only. The next login shows it.
    if (this.#unsuitableRole(connection)) this.#leave(member.key)
    return !this.#left.has(member.key)
  }

  /**
   * The server has rejected a write. In a transaction the app may have asked for that; without one, the server itself is read-only.
   * Its report follows, but the app may write again before.
   */
  #onReadOnly(connection: C): void {
    const member = this.#members.get(connection)
    if (member && this.followsPrimary && !this.#options.driver.isInTransaction(connection)) this.#leave(member.key)
  }

  serverOf(connection: C): ServerAddress | undefined {
    return this.#members.get(connection)?.server
  }

  isUnreachable(server: ServerAddress): boolean {
    return this.#memory.failureOf(keyOf(server)) === 'unreachable'
  }

  /** Whether the server of a connection does not answer, and another one has taken over. */
  isCutOff(connection: C): boolean {
    const member = this.#members.get(connection)
    return member !== undefined && this.#left.has(member.key) && this.isUnreachable(member.server)
  }

  /** A server has not answered in time. */
  onUnanswered(server: ServerAddress): void {
    this.#memory.failed(keyOf(server), 'unreachable', new Error('no answer'))
  }

  /** Looks for a suitable server, without a slot of the pool. */
  async search(): Promise<void> {
    const signal = abortAfter(this.#options.connectTimeoutMillis())
    try {
      const { connection } = await this.#search.find({ signal, lost: () => {} })
      await this.#options.driver.factory.close(connection)
    } catch {
      // The servers' failures are remembered.
    }
  }

  onClosing(connection: C, reason: CloseReason): void {
    const member = this.#members.get(connection)
    if (member && reason === 'lost') this.#memory.doubted(member.key)
  }

  onClosed(connection: C): void {
    this.#members.delete(connection)
  }
}

function describeFailover(server: ServerAddress, from: string, failure: 'unreachable' | 'unsuitable'): string {
  const why = failure === 'unreachable' ? 'does not answer' : 'has changed its role'
  return `New connections go to ${describeServer(server)}, because ${from} ${why}.`
}
