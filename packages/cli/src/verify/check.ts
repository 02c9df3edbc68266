/** One line of the list. */
export interface Check {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** What was seen, what went wrong, or why it was not looked at. Never a password. */
  readonly detail: string
}

/** What went wrong in a check, in a sentence that says what to do. */
export class CheckFailed extends Error {
  static {
    CheckFailed.prototype.name = 'CheckFailed'
  }
}

/** Runs one check: what it answers is the detail, what it throws its failure. */
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

/** Several addresses that all refuse are an AggregateError without a text. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return describe(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
