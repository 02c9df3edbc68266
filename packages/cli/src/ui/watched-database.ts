import { APPLICATIONS_QUERY, LOCKS_QUERY, serverReport } from '@poolguard/core/postgres'
import type { SourceView } from '@poolguard/page'
import { originOf } from '../connect-errors/cannot-connect.ts'
import type { Sources } from '../monitor/open-sources.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'

type Report = Pick<SourceView, 'report' | 'problem'>

const PENDING: Report = { report: 'pending', problem: null }

/** The database and its PgBouncer, which are read again and again. */
export class WatchedDatabase {
  readonly #name: string
  readonly #sources: Sources
  readonly #showsQueries: boolean
  #server = PENDING
  #pooler = PENDING

  constructor(name: string, sources: Sources, { showsQueries }: { readonly showsQueries: boolean }) {
    this.#name = name
    this.#sources = sources
    this.#showsQueries = showsQueries
  }

  get views(): readonly SourceView[] {
    const { pooler } = this.#sources
    return [
      { name: this.#name, isApp: false, ...this.#server },
      ...(pooler ? [{ name: pooler.address, isApp: false, ...this.#pooler }] : []),
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

  async #readServer(): Promise<SourceView['report']> {
    const { pool } = this.#sources.database
    const client = await pool.connect()
    try {
      const applications = await client.query(APPLICATIONS_QUERY)
      const locks = await client.query(LOCKS_QUERY)
      const report = serverReport(applications.rows, locks.rows)
      if (this.#showsQueries) return report
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
