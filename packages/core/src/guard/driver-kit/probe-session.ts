import { randomBytes } from 'node:crypto'
import { type Identity, type ProbeSession, readPid } from '../../topology/index.ts'

/** The values of a row as the server writes them. */
export type TextRow = readonly (string | null)[]

/** What a driver can do on a connection that no caller has. */
export interface ProbedConnection {
  /** What the server reported at login and since (ParameterStatus). */
  readonly parameters: ReadonlyMap<string, string>
  /** The process id that the server announced for cancelling (BackendKeyData), unsigned: poolers make up such numbers. */
  readonly announcedPid: number
  /** Runs a text of one statement or several, unprepared. Resolves to the first row of the last statement. */
  askRow(text: string): Promise<TextRow | undefined>
  /**
   * In one round trip, and leaving nothing behind: prepares a statement, runs it and closes it.
   *
   * @param name for the statement, by a driver that can choose.
   * @returns the first row, and the name that the statement was prepared under.
   */
  askPrepared(text: string, name: string): Promise<{ readonly row: TextRow | undefined; readonly name: string }>
  /**
   * Whether the driver cannot close the statement without a trace. Then a statement is prepared only where the server process is
   * not the announced one, which already shows a pooler.
   */
  readonly preparesOnlyIfNeeded: boolean
}

const PID = 'pg_catalog.pg_backend_pid()'

/** The detection's view of a driver's connection. */
export class DriverProbeSession implements ProbeSession {
  readonly #connection: ProbedConnection

  constructor(connection: ProbedConnection) {
    this.#connection = connection
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#connection.parameters
  }

  get announcedPid(): number {
    return this.#connection.announcedPid
  }

  async identify(expression = 'null'): Promise<Identity> {
    if (!this.#connection.preparesOnlyIfNeeded) return this.#identifyPrepared(expression)
    const row = await this.#connection.askRow(`select ${PID}, ${expression}`)
    const along = row?.[1] ?? null
    const pid = readPid(row?.[0])
    if (pid === this.announcedPid) return { pid, chosenName: '', serverName: null, along }
    return { ...(await this.#identifyPrepared('null')), along }
  }

  async #identifyPrepared(expression: string): Promise<Identity> {
    const mark = `poolguard_${randomBytes(6).toString('hex')}`
    const { row, name } = await this.#connection.askPrepared(
      `/*${mark}*/ select ${PID},
         (select name from pg_catalog.pg_prepared_statements where pg_catalog.starts_with(statement, '/*${mark}*/') limit 1),
         ${expression}`,
      mark,
    )
    return { pid: readPid(row?.[0]), chosenName: name, serverName: row?.[1] ?? null, along: row?.[2] ?? null }
  }

  backendPid(): Promise<number> {
    return this.#pid(`select ${PID}`)
  }

  begin(): Promise<number> {
    return this.#pid(`begin; select ${PID}`)
  }

  async rollback(): Promise<void> {
    await this.#connection.askRow('rollback')
  }

  async #pid(text: string): Promise<number> {
    return readPid((await this.#connection.askRow(text))?.[0])
  }
}
