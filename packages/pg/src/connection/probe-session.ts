import { randomBytes } from 'node:crypto'
import { type Identity, type ProbeSession, readPid } from '@poolguard/core/adapter'
import { unwatchedQuery } from '../queries/watch-queries.ts'
import { askText } from './ask-text.ts'
import { NamedProbe } from './named-probe.ts'
import type { PgConnection } from './pg-connection.ts'

/** A connection that no caller has, as the detection of poolers sees it. */
export class PgProbeSession implements ProbeSession {
  readonly #connection: PgConnection
  readonly #query: PgConnection['client']['query']

  constructor(connection: PgConnection) {
    this.#connection = connection
    this.#query = unwatchedQuery(connection.client)
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#connection.parameters
  }

  /** Poolers make up numbers beyond the signed range, which pg reads as negative. */
  get announcedPid(): number {
    return this.#connection.client.processID >>> 0
  }

  async identify(along = 'null'): Promise<Identity> {
    const chosenName = `poolguard_${randomBytes(6).toString('hex')}`
    const probe = new NamedProbe(
      chosenName,
      `/*${chosenName}*/ select pg_catalog.pg_backend_pid(),
         (select name from pg_catalog.pg_prepared_statements where pg_catalog.starts_with(statement, '/*${chosenName}*/') limit 1),
         ${along}`,
    )
    this.#query(probe)
    const [row] = await probe.rows
    return { pid: readPid(row?.[0]), chosenName, serverName: row?.[1] ?? null, along: row?.[2] ?? null }
  }

  async backendPid(): Promise<number> {
    return readPid(await askText(this.#connection.client, 'select pg_catalog.pg_backend_pid()'))
  }

  async begin(): Promise<number> {
    return readPid(await askText(this.#connection.client, 'begin; select pg_catalog.pg_backend_pid()'))
  }

  async rollback(): Promise<void> {
    await this.#query('rollback')
  }
}
