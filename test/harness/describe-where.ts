import type { describe } from 'vitest'

const told = new Set<string>()

/**
 * Vitest's `describe` for tests that need a program. Where that is missing they are skipped, and how to get it is said once;
 * in CI (`CI=true`) that is an error instead: there nothing may be skipped unnoticed.
 */
export async function describeWhere(missing: Error | undefined): Promise<ReturnType<typeof describe.skipIf>> {
  // Not at the top: outside of Vitest it cannot be loaded, and benchmarks use the harness as well.
  const vitest = await import('vitest')
  if (!missing) return vitest.describe.skipIf(false)
  if (process.env.CI === 'true') throw missing
  if (!told.has(missing.message)) console.warn(`skipped: ${missing.message}`)
  told.add(missing.message)
  return vitest.describe.skipIf(true)
}

/** The same for a program that is searched for: it is missing if the search fails. */
export async function describeWhereFound(search: Promise<unknown>): Promise<ReturnType<typeof describe.skipIf>> {
  return describeWhere(
    await search.then(
      () => undefined,
      (error: Error) => error,
    ),
  )
}
