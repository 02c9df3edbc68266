import type { Budget } from '@poolguard/core'

/** A file to write. */
export interface GeneratedFile {
  /** Relative to the output directory, with `/`. */
  readonly path: string
  readonly content: string
}

/** The result of a generator. */
export interface Generated {
  /** The plan behind the files; absent if they do not depend on a plan. */
  readonly budget?: Budget
  readonly files: readonly GeneratedFile[]
  /** Next steps, one line each. */
  readonly next: readonly string[]
}
