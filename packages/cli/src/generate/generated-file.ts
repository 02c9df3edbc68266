import type { Budget } from '@poolguard/core'

/** A file to be written. */
export interface GeneratedFile {
  /** Below the folder that is written into, with `/`. */
  readonly path: string
  readonly content: string
}

/** What a generator makes. */
export interface Generated {
  /** What the files go by; absent where no plan is in them. */
  readonly budget?: Budget
  readonly files: readonly GeneratedFile[]
  /** What to do with them, a line each: the shortest way to something that runs. */
  readonly next: readonly string[]
}
