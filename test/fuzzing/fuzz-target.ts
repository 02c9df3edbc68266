import type fc from 'fast-check'

/** A property that holds for any input, and how often to check it. */
export interface FuzzTarget {
  /** The name on the command line, as in `pnpm fuzz libpq`. */
  readonly name: string
  /** What must hold for every input. */
  readonly claim: string
  /** Inputs in `pnpm test`. */
  readonly cases: number
  /** Inputs in `pnpm test:matrix`. */
  readonly matrixCases: number
  /** It loads modules in simulated time, which waits for Node's own `import()`, but not for that of Vitest. */
  readonly loadsLater?: boolean
  /**
   * Makes the target ready.
   * @throws {MissingRequirement} if this machine cannot run it.
   */
  readonly prepare: () => Promise<PreparedTarget> | PreparedTarget
}

/** A target for one run. */
export interface PreparedTarget {
  readonly property: fc.IRawProperty<unknown>
  /** What was counted so far, such as the inputs that the reference accepted: shows that the inputs are not all nonsense. */
  readonly counts: Readonly<Record<string, number>>
}

/** This machine lacks what a target needs; the message says what. */
export class MissingRequirement extends Error {}
