/** A command's output and exit code: 0 no problems, 1 findings, 2 the command could not run. */
export interface Outcome {
  readonly exitCode: 0 | 1 | 2
  /** For people; empty if everything has been printed. */
  readonly text: string
  /** For programs; undefined if everything has been printed. */
  readonly json: unknown
  /** The text is the content of generated files, which contain no secrets: do not redact it. */
  readonly isFileContent?: true
}

/** The command cannot run. The message says what is missing and how to provide it. */
export class CannotRunError extends Error {
  override readonly name: string = 'CannotRunError'
  /** What programs learn in addition to the message (`--json`). */
  readonly details: Readonly<Record<string, unknown>> = {}
}
