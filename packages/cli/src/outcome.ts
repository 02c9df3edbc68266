/** What a command has to say, and how it ends: 0 all is fine, 1 there are findings, 2 it could not run. */
export interface Outcome {
  readonly exitCode: 0 | 1 | 2
  /** For people; empty where all was said already. */
  readonly text: string
  /** The same for programs; undefined where all was said already. */
  readonly json: unknown
  /** It is the content of generated files, which hold no secret and are to be taken as they are. */
  readonly isFileContent?: true
}

/** The command cannot do its work. The message says what is missing, and what to give. */
export class CannotRunError extends Error {
  override readonly name = 'CannotRunError'
}
