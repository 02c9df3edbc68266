import { randomBytes } from 'node:crypto'
import type { Lease, ProbeSession } from '@poolguard/core'
import type { PostgresConnection } from './postgres-connection.ts'

const PID = 'pg_catalog.pg_backend_pid()'

/** A leased connection, as the detection of poolers sees it. */
export class PostgresProbeSession implements ProbeSession {
  readonly #lease: Lease<PostgresConnection>

  constructor(lease: Lease<PostgresConnection>) {
    this.#lease = lease
  }

  get parameters(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#lease.resource.parameters))
  }

  get announcedPid(): number {
    return this.#lease.resource.announcedPid
  }

  /** postgres.js keeps what it has prepared, so that this is asked only where the pid shows a pooler, and undone at once. */
  async identify(): Promise<{ pid: number; chosenName: string; serverName: string | null }> {
    const pid = await this.backendPid()
    if (pid === this.announcedPid) return { pid, chosenName: '', serverName: null }
    const mark = `poolguard_${randomBytes(6).toString('hex')}`
    const { row, name } = await this.#lease.resource.askPrepared(
      `/*${mark}*/ select ${PID},
         (select name from pg_catalog.pg_prepared_statements where pg_catalog.starts_with(statement, '/*${mark}*/') limit 1)`,
    )
    return { pid: Number(row[0]) >>> 0, chosenName: name, serverName: row[1] ?? null }
  }

  backendPid(): Promise<number> {
    return this.#pid(`select ${PID}`)
  }

  begin(): Promise<number> {
    return this.#pid(`begin; select ${PID}`)
  }

  async rollback(): Promise<void> {
    await this.#lease.resource.ask('rollback')
  }

  done({ abandon }: { abandon: boolean }): void {
    if (abandon) this.#lease.destroy()
    else this.#lease.release()
  }

  async #pid(text: string): Promise<number> {
    const [row] = await this.#lease.resource.ask(text)
    return Number(row?.[0]) >>> 0
  }
}
