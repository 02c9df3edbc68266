import { APPLICATIONS_QUERY, LOCKS_QUERY, serverReport } from '@poolguard/core/postgres'
import type { PageAction, SourceView } from '@poolguard/page'
import { terminateSession } from '@poolguard/web/adapter'
import { originOf } from '../connect-errors/cannot-connect.ts'
import { signalSession } from '../database/signal-session.ts'
import type { Sources } from '../monitor/open-sources.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'

type Report = Pick<SourceView, 'report' | 'problem'>

const PENDING: Report = { report: 'pending', problem: null }

export interface WatchedDatabaseOptions {
  readonly showsQueries: boolean
  /** Whether the page may terminate sessions. */
  readonly hasActions: boolean
}

/** The database and its PgBouncer, which are read again and again. */
export class WatchedDatabase {
  readonly name: string
  readonly #sources: Sources
  readonly #options: WatchedDatabaseOptions
  #server = PENDING
  #pooler = PENDING

  constructor(name: string, sources: Sources, options: WatchedDatabaseOptions) {
    this.name = name
    this.#sources = sources
    this.#options = options
  }

  get views(): readonly SourceView[] {
    const { pooler } = this.#sources
    return [
      { name: this.name, isApp: false, isControlled: this.#options.hasActions, ...this.#server },
      ...(pooler ? [{ name: pooler.address, isApp: false, isControlled: false, ...this.#pooler }] : []),
    ]
  }

  /** Never rejects. */
  async sample(): Promise<void> {
    const { pooler } = this.#sources
    const [server, pools] = await Promise.all([
      reported(() => this.#readServer()),
      pooler && reported(() => pooler.report()),
    ])
    this.#server = server
    this.#pooler = pools ?? PENDING
  }

  /** @throws {ActionError} if the session has ended, or without the right. */
  async terminate({ pid, startedAt }: Extract<PageAction, { action: 'terminate' }>): Promise<void> {
    const { pool } = this.#sources.database
    await terminateSession(pid, () => signalSession(pool, 'terminate', { pid, startedAt, changedAt: null }))
  }

  async #readServer(): Promise<SourceView['report']> {
    const { pool } = this.#sources.database
    const client = await pool.connect()
    try {
      const applications = await client.query(APPLICATIONS_QUERY)
      const locks = await client.query(LOCKS_QUERY)
      const report = serverReport(applications.rows, locks.rows)
      if (this.#options.showsQueries) return report
      return { ...report, locks: report.locks.map((lock) => ({ ...lock, statement: null })) }
    } finally {
      client.release()
    }
  }
}

async function reported(read: () => Promise<SourceView['report']>): Promise<Report> {
  try {
    return { report: await read(), problem: null }
  } catch (error) {
    return { report: 'unreachable', problem: withPlainTexts(messageOf(originOf(error))) }
  }
}
