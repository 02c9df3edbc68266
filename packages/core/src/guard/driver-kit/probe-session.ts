import { type Identity, type ProbeSession, readPid } from '../../topology/index.ts'

/** The values of a row in the server's text format. */
export type TextRow = readonly (string | null)[]

/** The operations of a driver on a connection that no caller holds. */
export interface ProbedConnection {
  /** The parameters that the server reported at login and since (ParameterStatus). */
  readonly parameters: ReadonlyMap<string, string>
  /** The process id from BackendKeyData, unsigned, because poolers invent such numbers. */
  readonly announcedPid: number
  /** Runs a text of one or several statements, unprepared. Resolves to the first row of the last statement. */
  askRow(text: string): Promise<TextRow | undefined>
  /**
   * Prepares, runs and closes a statement in one round trip, leaving nothing behind.
   *
   * @param name the name for the statement, if the driver can choose it.
   * @returns the first row, and the name under which the statement was prepared.
   */
  askPrepared(text: string, name: string): Promise<{ readonly row: TextRow | undefined; readonly name: string }>
  /**
   * Whether the driver cannot close the statement without side effects. It then prepares a statement only if the server process
   * differs from the announced one, which already proves a pooler.
   */
  readonly preparesOnlyIfNeeded: boolean
}

const PID = 'pg_catalog.pg_backend_pid()'

/** Implements the probe for detection on a driver's connection. */
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
    const { randomBytes } = process.getBuiltinModule('node:crypto')
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
