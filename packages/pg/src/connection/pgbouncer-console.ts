import type { ConsoleOptions, PoolerConsole } from '@poolguard/core/adapter'
import {
  PGBOUNCER_CONSOLE,
  type PgBouncerClient,
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PgBouncerStats,
  readPgBouncerClients,
  readPgBouncerConfig,
  readPgBouncerDatabases,
  readPgBouncerLists,
  readPgBouncerPools,
  readPgBouncerStats,
  readPgBouncerVersion,
  type ShowRow,
} from '@poolguard/core/postgres'
import pg from 'pg'
import { type GuardedPoolConfig, readConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'
import { containParserErrors } from './contain-parser-errors.ts'
import { dropStartupParameters } from './startup-parameters.ts'

/** How long one answer may take. */
const PATIENCE_MILLIS = 5_000

type ShowCommand = 'VERSION' | 'POOLS' | 'CLIENTS' | 'DATABASES' | 'STATS' | 'CONFIG' | 'LISTS'

/**
 * PgBouncer's admin console, for a user in `admin_users` or `stats_users`. It takes plain texts only, one command at a time.
 *
 * @example
 * await using pgbouncer = await PgBouncerConsole.connect('postgresql://stats:secret@localhost:6432')
 * const waiting = (await pgbouncer.pools()).filter(({ clientsWaiting }) => clientsWaiting > 0)
 */
export class PgBouncerConsole implements PoolerConsole {
  /** @internal */
  readonly closed: Promise<void>
  /** @internal */
  readonly user: string
  /** @internal */
  readonly applicationName: string | undefined
  readonly #client: pg.Client

  private constructor(client: pg.Client, applicationName: string | undefined) {
    this.#client = client
    this.user = (client as unknown as WireClient).user
    this.applicationName = applicationName
    this.closed = new Promise((resolve) => client.once('end', resolve))
  }

  /**
   * @param url of PgBouncer; whatever database it names, the console is asked.
   * @throws what connecting throws, or that there was no answer within five seconds; for a user who may not look, 08P01 `not allowed`.
   */
  static async connect(url: string): Promise<PgBouncerConsole> {
    return PgBouncerConsole.open(readConfig({ url }).client, { patienceMillis: PATIENCE_MILLIS })
  }

  /** @internal With what clients of that PgBouncer are made with. */
  static async open(
    clientConfig: GuardedPoolConfig,
    { patienceMillis, applicationName }: Omit<ConsoleOptions, 'url'>,
  ): Promise<PgBouncerConsole> {
    const client = new pg.Client({
      ...clientConfig,
      password: clientConfig.password,
      database: PGBOUNCER_CONSOLE,
      connectionTimeoutMillis: patienceMillis,
      query_timeout: patienceMillis,
    })
    // Other startup parameters would be refused.
    dropStartupParameters(client as unknown as WireClient, { application_name: applicationName })
    containParserErrors((client as unknown as WireClient).connection)
    client.on('error', () => {})
    await client.connect()
    return new PgBouncerConsole(client, applicationName)
  }

  async version(): Promise<string> {
    return readPgBouncerVersion(await this.show('VERSION'))
  }

  async pools(): Promise<PgBouncerPool[]> {
    return readPgBouncerPools(await this.show('POOLS'))
  }

  async clients(): Promise<PgBouncerClient[]> {
    return readPgBouncerClients(await this.show('CLIENTS'))
  }

  async databases(): Promise<PgBouncerDatabase[]> {
    return readPgBouncerDatabases(await this.show('DATABASES'))
  }

  async stats(): Promise<PgBouncerStats[]> {
    return readPgBouncerStats(await this.show('STATS'))
  }

  async config(): Promise<Map<string, PgBouncerSetting>> {
    return readPgBouncerConfig(await this.show('CONFIG'))
  }

  async lists(): Promise<Map<string, number>> {
    return readPgBouncerLists(await this.show('LISTS'))
  }

  /** @internal It keeps no process alive. */
  unref(): void {
    ;(this.#client as unknown as WireClient).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }

  /** The rows of `SHOW <what>`, as PgBouncer writes them. */
  async show(what: ShowCommand): Promise<readonly ShowRow[]> {
    return (await this.#client.query<Record<string, unknown>>(`SHOW ${what}`)).rows
  }
}
