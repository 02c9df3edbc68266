/** What the table's process asks of a worker. */
export type Request =
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Blocks the event loop. */
  | { readonly type: 'stall'; readonly millis: number }
  /** Moves the wall clock. */
  | { readonly type: 'jump-clock'; readonly millis: number }
  /** A transaction that stays open without a statement for so long. */
  | { readonly type: 'dawdle'; readonly millis: number }
  /** A caller's fault: see `misuse.ts`. */
  | { readonly type: 'misuse'; readonly what: Misuse }
  /** Runs one statement, whatever comes of it. */
  | { readonly type: 'run'; readonly text: string }
  /** How many transactions can be open at the same time? */
  | { readonly type: 'count-connections'; readonly expected: number }
  /** What does the process hold when its callers are at rest? They must be paused. */
  | { readonly type: 'measure' }
  | { readonly type: 'stop' }

export type Misuse = 'leak' | 'double-release' | 'dirty-release' | 'deadlock'

/** What a worker tells. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'committed'; readonly id: number; readonly rows: 1 | 2 }
  | { readonly type: 'failed'; readonly error: ErrorReport }
  | { readonly type: 'not-possible' }
  | { readonly type: 'counted'; readonly connections: number }
  | { readonly type: 'measured'; readonly hungCallers: number; readonly held: Held }
  | { readonly type: 'stopped'; readonly hungCallers: number; readonly closed: boolean }

/** What a process at rest holds. */
export interface Held {
  /** After garbage collection. */
  readonly heapBytes: number
  /** Sockets, timers and other handles and requests that are active. */
  readonly resources: number
  /** Listeners of the process. */
  readonly listeners: number
}

export interface ErrorReport {
  /** The first line of its message. */
  readonly text: string
  /** Its own code, or that of the first of its causes that has one. */
  readonly code: string | undefined
}

/** An error as a program sees it: without any code a program can only compare the text. */
export function reportOf(error: unknown): ErrorReport {
  const { message = String(error) } = (error ?? {}) as { message?: string }
  return {
    text:
      message
        .split('\n')
        .find((line) => line.trim() !== '')
        ?.trim() ?? '',
    code: codeOf(error, 5),
  }
}

function codeOf(error: unknown, depth: number): string | undefined {
  if (typeof error !== 'object' || error === null || depth === 0) return undefined
  const { code, cause, meta, driverError } = error as Record<string, unknown>
  if (typeof code === 'string' && code !== '') return code
  return codeOf(cause, depth - 1) ?? codeOf(driverError, depth - 1) ?? codeOf(meta, depth - 1)
}
