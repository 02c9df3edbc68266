import type { describe } from 'vitest'
import { usesContainers } from './backends/choice.ts'
import { describeWhere } from './describe-where.ts'
import { findPgBouncer, PgBouncerUnavailableError, pgBouncerImages } from './find-pgbouncer.ts'
import type { PgBouncerVersion } from './pgbouncer-server.ts'

export type PgBouncerAvailability =
  | { readonly available: true; readonly version: string; readonly source: string }
  | { readonly available: false; readonly how: string }

/** Can `startPgBouncer` work here? Gets PgBouncer where that is what it takes, so that the first call may take seconds. */
export async function pgBouncerAvailability(version?: PgBouncerVersion): Promise<PgBouncerAvailability> {
  if (usesContainers()) {
    const wanted = version ?? '1.24'
    return { available: true, version: wanted, source: `Docker, ${pgBouncerImages[wanted]}` }
  }
  try {
    const found = await findPgBouncer(version)
    return { available: true, version: found.version, source: found.source }
  } catch (error) {
    if (error instanceof PgBouncerUnavailableError) return { available: false, how: error.message }
    throw error
  }
}

/**
 * Vitest's `describe` for tests that need PgBouncer; to be awaited at the top of a test file:
 *
 *     const describe = await describeWithPgBouncer('1.24')
 *     describe('behind PgBouncer', () => { ... })
 *
 * Without a PgBouncer of that version the tests are skipped, and how to get one is said once. In CI (`CI=true`) that
 * is an error instead: there nothing may be skipped unnoticed.
 */
export async function describeWithPgBouncer(version?: PgBouncerVersion): Promise<ReturnType<typeof describe.skipIf>> {
  const availability = await pgBouncerAvailability(version)
  return describeWhere(availability.available ? undefined : new PgBouncerUnavailableError(availability.how))
}
