import type { PoolerReport } from '@poolguard/core'
import { type ConnectionString, describeAddress, PGBOUNCER_CONSOLE, type PgBouncerPool } from '@poolguard/core/postgres'
import { PgBouncerConsole } from '@poolguard/pg'
import { explainConsoleError } from '../database/read-pooler-facts.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'

/** One pool of PgBouncer at one moment. */
export interface PoolerPool {
  readonly database: string
  readonly user: string
  readonly clientsActive: number
  readonly clientsWaiting: number
  readonly maxWaitMillis: number
  /** Server connections in use. */
  readonly serversActive: number
  /** Server connections that are free. */
  readonly serversIdle: number
  /** Most server connections of the pool; null if the console does not say. */
  readonly poolSize: number | null
  readonly paused: boolean
}

/** PgBouncer's pools at one moment. */
export interface PoolerSample {
  readonly pools: readonly PoolerPool[]
}

/** The console did not answer. */
export interface PoolerMissed {
  readonly error: string
}

/** Samples PgBouncer's pools over one connection to its console, which it opens again after an error. */
export class PoolerWatch implements AsyncDisposable {
  readonly #url: ConnectionString
  #console: PgBouncerConsole | undefined

  private constructor(url: ConnectionString, console: PgBouncerConsole) {
    this.#url = url
    this.#console = console
  }

  /** @throws {CannotRunError} that says why the URL does not lead to a console that can be read. */
  static async open(url: ConnectionString): Promise<PoolerWatch> {
    try {
      const watch = new PoolerWatch(url, await PgBouncerConsole.connect(url.href))
      await watch.#read()
      return watch
    } catch (error) {
      throw explainConsoleError(url, error)
    }
  }

  /** Host, port and database of the console. */
  get address(): string {
    return describeAddress(this.#url)
  }

  /** PgBouncer's pools for the live page. @throws if the console does not answer. */
  async report(): Promise<PoolerReport> {
    try {
      const console = await this.#connect()
      // One after another: the console accepts one command at a time.
      const version = await console.version()
      const pools = (await console.pools()).filter(({ database }) => database !== PGBOUNCER_CONSOLE)
      return { kind: 'pooler', version, pools }
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Never rejects: an error is a sample too. */
  async sample(): Promise<PoolerSample | PoolerMissed> {
    try {
      return await this.#read()
    } catch (error) {
      await this[Symbol.asyncDispose]()
      return { error: withPlainTexts(messageOf(error)) }
    }
  }

  async #read(): Promise<PoolerSample> {
    const console = await this.#connect()
    const databases = new Map((await console.databases()).map((database) => [database.name, database]))
    const pools = (await console.pools()).filter(({ database }) => database !== PGBOUNCER_CONSOLE)
    return withPlainTexts({
      pools: pools.map((pool) => {
        const database = databases.get(pool.database)
        return { ...countsOf(pool), poolSize: database?.poolSize ?? null, paused: database?.paused ?? false }
      }),
    })
  }

  async #connect(): Promise<PgBouncerConsole> {
    this.#console ??= await PgBouncerConsole.connect(this.#url.href)
    return this.#console
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const console = this.#console
    this.#console = undefined
    await console?.[Symbol.asyncDispose]().catch(() => {})
  }
}

function countsOf(pool: PgBouncerPool): Omit<PoolerPool, 'poolSize' | 'paused'> {
  return {
    database: pool.database,
    user: pool.user,
    clientsActive: pool.clientsActive,
    clientsWaiting: pool.clientsWaiting,
    maxWaitMillis: Math.round(pool.maxWaitMillis),
    serversActive: pool.serversActive,
    serversIdle: pool.serversIdle + pool.serversUsed + pool.serversTested,
  }
}
