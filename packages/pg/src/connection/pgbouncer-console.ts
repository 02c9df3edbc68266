import type { ConsoleOptions, PoolerConsole } from '@poolguard/core/adapter'
import type {
  PgBouncerClient,
  PgBouncerDatabase,
  PgBouncerPool,
  PgBouncerSetting,
  PgBouncerStats,
  ShowRow,
} from '@poolguard/core/postgres'
import pg from 'pg'
import { type GuardedPoolConfig, readConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'
import { containParserErrors } from './contain-parser-errors.ts'
import { requireChannelBinding } from './require-channel-binding.ts'
import { dropStartupParameters } from './startup-parameters.ts'

/** Timeout for connecting and for each answer. */
const ANSWER_TIMEOUT_MILLIS = 5_000

type Answers = typeof import('./pgbouncer-answers.ts')

type ShowCommand = 'VERSION' | 'POOLS' | 'CLIENTS' | 'DATABASES' | 'STATS' | 'CONFIG' | 'LISTS' | 'SERVERS' | 'USERS'

/**
 * PgBouncer's admin console, for a user in `admin_users` or `stats_users`. The console accepts plain texts only, one command at a time.
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
  readonly #answers: Answers

  private constructor(client: pg.Client, answers: Answers, applicationName: string | undefined) {
    this.#client = client
    this.#answers = answers
    this.user = (client as unknown as WireClient).user
    this.applicationName = applicationName
    this.closed = new Promise((resolve) => client.once('end', resolve))
  }

  /**
   * @param url of PgBouncer. The database in it is ignored: the console has a database of its own, `pgbouncer`.
   * @throws the connect error, or a timeout if PgBouncer does not answer within five seconds. For a user without access to the
   * console, the error is 08P01 `not allowed`.
   */
  static async connect(url: string): Promise<PgBouncerConsole> {
    return PgBouncerConsole.open(readConfig({ url }).client, { patienceMillis: ANSWER_TIMEOUT_MILLIS })
  }

  /** @internal Connects with the configuration of the pool's own clients. */
  static async open(
    clientConfig: GuardedPoolConfig,
    { patienceMillis, applicationName }: Omit<ConsoleOptions, 'url'>,
  ): Promise<PgBouncerConsole> {
    const answers = await import('./pgbouncer-answers.ts')
    const client = new pg.Client({
      ...clientConfig,
      password: clientConfig.password as string | undefined,
      database: answers.PGBOUNCER_CONSOLE,
      connectionTimeoutMillis: patienceMillis,
      query_timeout: patienceMillis,
    })
    // The console rejects all other startup parameters.
    dropStartupParameters(client as unknown as WireClient, { application_name: applicationName })
    const { connection } = client as unknown as WireClient
    containParserErrors(connection)
    if (clientConfig.channelBinding === 'require') requireChannelBinding(connection)
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      // After an error of its own, such as a missing password, pg leaves the socket open.
      connection.stream.destroy()
      throw error
    }
    return new PgBouncerConsole(client, answers, applicationName)
  }

  async version(): Promise<string> {
    return this.#answers.readPgBouncerVersion(await this.show('VERSION'))
  }

  async pools(): Promise<PgBouncerPool[]> {
    return this.#answers.readPgBouncerPools(await this.show('POOLS'))
  }

  async clients(): Promise<PgBouncerClient[]> {
    return this.#answers.readPgBouncerClients(await this.show('CLIENTS'))
  }

  async databases(): Promise<PgBouncerDatabase[]> {
    return this.#answers.readPgBouncerDatabases(await this.show('DATABASES'))
  }

  async stats(): Promise<PgBouncerStats[]> {
    return this.#answers.readPgBouncerStats(await this.show('STATS'))
  }

  async config(): Promise<Map<string, PgBouncerSetting>> {
    return this.#answers.readPgBouncerConfig(await this.show('CONFIG'))
  }

  async lists(): Promise<Map<string, number>> {
    return this.#answers.readPgBouncerLists(await this.show('LISTS'))
  }

  /** @internal The connection does not keep the process alive. */
  unref(): void {
    ;(this.#client as unknown as WireClient).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }

  /** The rows of `SHOW <command>`, unchanged. */
  async show(command: ShowCommand): Promise<readonly ShowRow[]> {
    return (await this.#client.query<Record<string, unknown>>(`SHOW ${command}`)).rows
  }
}
