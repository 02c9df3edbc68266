import pg from 'pg'
import { type PostgresServer, waitUntil } from '../harness/index.ts'

/** Watches which statements a server runs. They are recognized by a mark in a comment of theirs. */
export class RunningStatements implements AsyncDisposable {
  readonly #admin: pg.Client

  private constructor(admin: pg.Client) {
    this.#admin = admin
  }

  static async watch(server: PostgresServer): Promise<RunningStatements> {
    const admin = new pg.Client({ connectionString: server.adminUrl })
    await admin.connect()
    return new RunningStatements(admin)
  }

  /** Sessions that run a statement with this mark. */
  async count(mark: string): Promise<number> {
    const { rows } = await this.#admin.query(
      "select count(*)::int as n from pg_stat_activity where state <> 'idle' and query like $1 and pid <> pg_backend_pid()",
      [`%${mark}%`],
    )
    return rows[0].n
  }

  async begun(mark: string): Promise<void> {
    await waitUntil(async () => (await this.count(mark)) === 1, { what: `${mark} runs` })
  }

  async ended(mark: string): Promise<void> {
    await waitUntil(async () => (await this.count(mark)) === 0, { what: `${mark} has ended` })
  }

  /** Sends a request, and disconnects once the statement with this mark runs. */
  async disconnectDuring(mark: string, url: string): Promise<void> {
    const controller = new AbortController()
    const answer = fetch(url, { signal: controller.signal }).catch(() => {})
    await this.begun(mark)
    controller.abort()
    await answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.end()
  }
}
