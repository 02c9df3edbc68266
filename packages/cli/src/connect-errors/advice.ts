import type { Step } from '../output/step.ts'

/** The text for one cause of a connection error. */
export interface Advice {
  readonly meaning: string
  /** What to change. */
  readonly remedy: string
  /** Commands that help now. */
  readonly now?: readonly Step[]
}

/** The parts of the address that the advice names. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly isLocal: boolean
  readonly folder: string
}
