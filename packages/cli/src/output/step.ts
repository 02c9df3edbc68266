/** A statement or command that a person can run now. */
export interface Step {
  /** What it does and what it needs, in a sentence. */
  readonly text: string
  /** Complete, ready to paste, on one line. */
  readonly run: string
}
