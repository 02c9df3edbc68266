import { randomBytes } from 'node:crypto'
import { type Identity, type ProbeSession, readPid } from '@poolguard/core/adapter'
import type { PostgresConnection } from './postgres-connection.ts'

const PID = 'pg_catalog.pg_backend_pid()'

/** A connection that no caller has, as the detection of poolers sees it. */
export class PostgresProbeSession implements ProbeSession {
  readonly #connection: PostgresConnection

  constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  get parameters(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#connection.parameters))
  }

  get announcedPid(): number {
    return this.#connection.announcedPid
  }

  /** postgres.js keeps what it has prepared, so that this is asked only where the pid shows a pooler, and undone at once. */
  async identify(expression = 'null'): Promise<Identity> {
    const [answer] = await this.#connection.ask(`select ${PID}, ${expression}`)
    const pid = readPid(answer?.[0])
    const along = answer?.[1] ?? null
    if (pid === this.announcedPid) return { pid, chosenName: '', serverName: null, along }
    const mark = `poolguard_${randomBytes(6).toString('hex')}`
    const { row, name } = await this.#connection.askPrepared(
      `/*${mark}*/ select ${PID},
         (select name from pg_catalog.pg_prepared_statements where pg_catalog.starts_with(statement, '/*${mark}*/') limit 1)`,
    )
    return { pid: readPid(row[0]), chosenName: name, serverName: row[1] ?? null, along }
  }

  backendPid(): Promise<number> {
    return this.#pid(`select ${PID}`)
  }

  begin(): Promise<number> {
    return this.#pid(`begin; select ${PID}`)
  }

  async rollback(): Promise<void> {
    await this.#connection.ask('rollback')
  }

  async #pid(text: string): Promise<number> {
    const [row] = await this.#connection.ask(text)
    return readPid(row?.[0])
  }
}
