import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { usesContainers } from './harness/backends/choice.ts'

/** The harness starts standbys from a copy of the primary's cluster, which it does not have of a server in a container. */
const REASON = 'skipped: standbys cannot be started in containers, so not the tests of replication'

/** Tests that cannot run on servers in containers, as patterns for Vitest's `exclude`: those that start standbys. */
export function testsOfReplication(): readonly string[] {
  return globSync('{integration,faults,harness}/*.test.ts', { cwd: import.meta.dirname }).filter((file) =>
    /\b(startReplication|startFailoverBed)\(/.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
  )
}

/** Empty unless the servers run in containers; then the reason is printed, too. */
export function excludedTests(): readonly string[] {
  if (!usesContainers()) return []
  const tests = testsOfReplication()
  console.warn(`${REASON}: ${tests.join(', ')}`)
  return tests
}
