import { type Range, RowReader } from '../row-reader.ts'

/** The identity of a connection, from one round trip. */
export interface Identity {
  /** The backend that answered. */
  readonly pid: number
  /** The name under which the probe prepared its statement, and the name of that statement on the server. */
  readonly chosenName: string
  readonly serverName: string | null
  /** The value of the additional expression; null without one. */
  readonly along: string | null
}

/** A connection for the detection; every driver's package implements it. */
export interface ProbeSession {
  /** The parameters that the server reported at login (ParameterStatus). */
  readonly parameters: ReadonlyMap<string, string>
  /** The process id that the server announced for cancelling (BackendKeyData). */
  readonly announcedPid: number
  /**
   * Prepares a statement under a name, and asks for the backend that ran it and for the statement's name on the server. Takes one
   * round trip and leaves nothing behind.
   *
   * @param along a SQL expression of type text to evaluate in the same round trip.
   */
  identify(along?: string): Promise<Identity>
  /** The pid of the backend that answers. */
  backendPid(): Promise<number>
  /** Begins a transaction and returns the pid of the backend that runs it. */
  begin(): Promise<number>
  rollback(): Promise<void>
}

/** Provides one or two connections for the detection. */
export interface ProbeSource {
  /** Rejects, or resolves to undefined, if no connection is available in time. */
  open(): Promise<ProbeSession | undefined>
  /** Called once for each connection. With `abandon`, an answer is outstanding or a probe failed: do not use the connection again. */
  done(session: ProbeSession, options: { readonly abandon: boolean }): void
}

/** The pids that poolers make up may exceed the signed range. */
const PID: Range = { min: -(2 ** 31), max: 2 ** 32 - 1 }

/**
 * Reads the pid from a probe's answer as an unsigned number, as in BackendKeyData.
 *
 * @throws {InvalidAnswerError} for anything but a 32-bit number.
 */
export function readPid(value: unknown): number {
  return new RowReader('pg_backend_pid()', { pid: value }).integer('pid', PID) >>> 0
}

/** The message is kept as evidence, and a server may send a message of any length. */
const MAX_ERROR_LENGTH = 300

/** The evidence for a failed probe. */
export function describeProbeFailure(error: unknown): string {
  return `a probe failed: ${String(error).slice(0, MAX_ERROR_LENGTH)}`
}
