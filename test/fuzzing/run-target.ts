import fc from 'fast-check'
import { type FuzzTarget, MissingRequirement, type PreparedTarget } from './fuzz-target.ts'

/** How long to run, and from which seed. */
export interface FuzzRun {
  /** How many inputs to check; unlimited if absent. */
  readonly cases?: number | undefined
  /** When to stop. */
  readonly millis?: number | undefined
  /** Random if absent. */
  readonly seed?: number | undefined
  /** The input to repeat, as a finding shows it. */
  readonly path?: string | undefined
}

export interface FuzzReport {
  readonly seed: number
  readonly cases: number
  readonly counts: Readonly<Record<string, number>>
  /** The smallest input that breaks the property, with its seed and the error. */
  readonly finding?: string
}

/** A target that this machine cannot run. */
export interface SkippedTarget {
  readonly skipped: string
}

/** Checks a target's property, and shrinks the first input that breaks it. */
export async function runTarget(target: FuzzTarget, run: FuzzRun): Promise<FuzzReport | SkippedTarget> {
  try {
    return await check(target, await target.prepare(), run)
  } catch (error) {
    if (error instanceof MissingRequirement) return { skipped: error.message }
    throw error
  }
}

async function check(
  target: FuzzTarget,
  { property, counts }: PreparedTarget,
  { cases, millis, seed, path }: FuzzRun,
): Promise<FuzzReport> {
  const details = await fc.check(property, {
    numRuns: cases ?? Number.MAX_SAFE_INTEGER,
    ...(millis !== undefined && { interruptAfterTimeLimit: millis }),
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  })
  const report = { seed: details.seed, cases: details.numRuns, counts }
  if (!details.failed || details.counterexample === null) return report
  const repeat = `pnpm fuzz ${target.name} --seed=${details.seed} --path=${details.counterexamplePath}`
  const error = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance)
  const input = fc.stringify(details.counterexample)
  return {
    ...report,
    finding: `${error}\nSmallest input after ${details.numShrinks} steps: ${input}\nRepeat it with: ${repeat}`,
  }
}
