/** Collects what was read and what was ignored, for the report. */
export interface Reading {
  readonly read: string[]
  readonly ignored: string[]
}
