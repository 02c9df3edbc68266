import { type Range, RowReader } from '../row-reader.ts'

/** What a connection tells about itself in one round trip. */
export interface Identity {
  /** The backend that answered. */
  readonly pid: number
  /** The name under which the probe prepared its statement, and the one under which the server knows that statement. */
  readonly chosenName: string
  readonly serverName: string | null
  /** The value of the expression that was asked along; null without one. */
  readonly along: string | null
}

/** One connection as the detection needs it; every driver's package has its own. */
export interface ProbeSession {
  /** What the server reported at login (ParameterStatus). */
  readonly parameters: ReadonlyMap<string, string>
  /** The process id that the server announced for cancelling (BackendKeyData). */
  readonly announcedPid: number
  /**
   * In one round trip, and leaving nothing behind: prepares a statement under a name of its own choice, and asks which
   * backend ran it and under which name the server knows it.
   *
   * @param along an expression of SQL of type text, which is evaluated in the same round trip.
   */
  identify(along?: string): Promise<Identity>
  /** The pid of the backend that happens to answer. */
  backendPid(): Promise<number>
  /** Opens a transaction and answers the pid of the backend that runs it. */
  begin(): Promise<number>
  rollback(): Promise<void>
}

/** Where the detection gets its connections from, one or two of them. */
export interface ProbeSource {
  /** Rejects, or resolves to undefined, where no connection can be had in time. */
  open(): Promise<ProbeSession | undefined>
  /** Called once for each. `abandon` where an answer is still outstanding, or a probe failed: the connection must not be used again. */
  done(session: ProbeSession, options: { readonly abandon: boolean }): void
}

/** Poolers make up numbers beyond the signed range. */
const PID: Range = { min: -(2 ** 31), max: 2 ** 32 - 1 }

/**
 * Reads the pid that a probe has answered, as BackendKeyData has it: without a sign.
 *
 * @throws {InvalidAnswerError} for anything but a number of 32 bits.
 */
export function readPid(value: unknown): number {
  return new RowReader('pg_backend_pid()', { pid: value }).integer('pid', PID) >>> 0
}

/** A server may say anything of any length, and what it said is kept. */
const MAX_ERROR_LENGTH = 300

/** The evidence that a failed probe leaves. */
export function describeProbeFailure(error: unknown): string {
  return `a probe failed: ${String(error).slice(0, MAX_ERROR_LENGTH)}`
}
