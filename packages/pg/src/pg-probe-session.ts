import { randomBytes } from 'node:crypto'
import type { Lease, ProbeSession } from '@poolguard/core'
import { NamedProbe } from './named-probe.ts'
import type { PgConnection } from './pg-connection.ts'

/** A leased connection, as the detection of poolers sees it. */
export class PgProbeSession implements ProbeSession {
  readonly #lease: Lease<PgConnection>

  constructor(lease: Lease<PgConnection>) {
    this.#lease = lease
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#lease.resource.parameters
  }

  /** Poolers make up numbers beyond the signed range, which pg reads as negative. */
  get announcedPid(): number {
    return this.#lease.resource.client.processID >>> 0
  }

  async identify(): Promise<{ pid: number; chosenName: string; serverName: string | null }> {
    const chosenName = `poolguard_${randomBytes(6).toString('hex')}`
    const probe = new NamedProbe(
      chosenName,
      `/*${chosenName}*/ select pg_catalog.pg_backend_pid(),
         (select name from pg_catalog.pg_prepared_statements where pg_catalog.starts_with(statement, '/*${chosenName}*/') limit 1)`,
    )
    this.#lease.resource.client.query(probe)
    const [row] = await probe.rows
    if (!row) throw new Error('the probe was answered without a row')
    return { pid: Number(row[0]) >>> 0, chosenName, serverName: row[1] ?? null }
  }

  backendPid(): Promise<number> {
    return this.#pid('select pg_catalog.pg_backend_pid() as pid')
  }

  begin(): Promise<number> {
    return this.#pid('begin; select pg_catalog.pg_backend_pid() as pid')
  }

  async rollback(): Promise<void> {
    await this.#lease.resource.client.query('rollback')
  }

  done({ abandon }: { abandon: boolean }): void {
    if (abandon) this.#lease.destroy()
    else this.#lease.release()
  }

  /** A text of several statements answers with an array, of which the last one counts. */
  async #pid(text: string): Promise<number> {
    const results = [await this.#lease.resource.client.query(text)].flat()
    return Number(results.at(-1)?.rows[0].pid) >>> 0
  }
}
