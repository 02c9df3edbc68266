import { messageOf } from '../output/message-of.ts'

/** The result of one check. */
export interface Check {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** The result, the error, or why the check was skipped. Never a password. */
  readonly detail: string
}

/** A failed check; the message says what to do. */
export class CheckFailed extends Error {
  static {
    CheckFailed.prototype.name = 'CheckFailed'
  }
}

/** Runs one check. Its result becomes the detail; an error becomes a failure. */
export async function attempt(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, status: 'passed', detail: await work() }
  } catch (error) {
    return { name, status: 'failed', detail: describe(error) }
  }
}

export function skipped(name: string, detail: string): Check {
  return { name, status: 'skipped', detail }
}

/** If every address of a host fails, Node throws an AggregateError without a message. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return describe(error.errors[0])
  return messageOf(error)
}
