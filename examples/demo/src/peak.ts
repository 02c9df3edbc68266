import pg from 'pg'

const SAMPLE_MILLIS = 20

/** Counts the app's connections on PostgreSQL, over a connection reserved for superusers. */
export class PeakWatch implements AsyncDisposable {
  readonly #client: pg.Client
  readonly #user: string
  readonly #timer: NodeJS.Timeout
  #sampling: Promise<void> = Promise.resolve()
  /** The maximum so far. */
  peak = 0

  static async start(adminUrl: string, user: string): Promise<PeakWatch> {
    const client = new pg.Client(adminUrl)
    await client.connect()
    return new PeakWatch(client, user)
  }

  private constructor(client: pg.Client, user: string) {
    this.#client = client
    this.#user = user
    this.#timer = setInterval(() => {
      this.#sampling = this.#sampling.then(() => this.#sample())
    }, SAMPLE_MILLIS)
  }

  async #sample(): Promise<void> {
    const { rows } = await this.#client.query(
      `select count(*)::int as open from pg_stat_activity where usename = $1 and backend_type = 'client backend'`,
      [this.#user],
    )
    this.peak = Math.max(this.peak, rows[0].open)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#sampling
    await this.#client.end()
  }
}
