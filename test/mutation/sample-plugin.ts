import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import type { MutantResult } from './mutant-result.ts'

const { POOLGUARD_MUTATION_SAMPLE = 'Infinity', POOLGUARD_MUTATION_SEED = '' } = process.env
const { POOLGUARD_MUTATION_RESULTS: resultsFile = '' } = process.env

/** Stryker asks it which mutants to test. It chooses at random and in a random order, so an interrupted run is a sample, too. */
class SampleChecker {
  readonly #chosen = new Set<string>()

  async init(): Promise<void> {}

  async group(mutants: readonly MutantResult[]): Promise<string[][]> {
    const hashes = new Map(mutants.map((mutant) => [mutant, hashOf(mutant)]))
    const shuffled = mutants.toSorted((a, b) => Buffer.compare(hashes.get(a) as Buffer, hashes.get(b) as Buffer))
    for (const { id } of shuffled.slice(0, Number(POOLGUARD_MUTATION_SAMPLE))) this.#chosen.add(id)
    appendFileSync(resultsFile, `${JSON.stringify({ status: 'Chosen', count: this.#chosen.size })}\n`)
    return shuffled.map(({ id }) => [id])
  }

  /** Stryker has no status for a mutant that is left out here, so the others are said not to compile. */
  async check(mutants: readonly MutantResult[]): Promise<Record<string, object>> {
    const resultOf = (id: string) =>
      this.#chosen.has(id) ? { status: 'passed' } : { status: 'compileError', reason: 'not in the sample' }
    return Object.fromEntries(mutants.map(({ id }) => [id, resultOf(id)]))
  }
}

/** Depends on the mutant and the seed only, so another run with the seed tests the same mutants. */
function hashOf({ fileName, mutatorName, replacement, location }: MutantResult): Buffer {
  const path = fileName.slice(fileName.lastIndexOf('packages/core'))
  const { line, column } = location.start
  return createHash('sha256')
    .update(JSON.stringify([POOLGUARD_MUTATION_SEED, path, mutatorName, replacement, line, column]))
    .digest()
}

/** Writes each result as soon as it is known, one a line. */
class ResultsReporter {
  onMutantTested(result: MutantResult): void {
    const { id, fileName, location, mutatorName, replacement, status } = result
    const line = JSON.stringify({ id, fileName, location, mutatorName, replacement, status })
    if (status !== 'CompileError' && status !== 'Ignored') appendFileSync(resultsFile, `${line}\n`)
  }
}

export const strykerPlugins = [
  { kind: 'Checker', name: 'sample', injectableClass: SampleChecker },
  { kind: 'Reporter', name: 'results', injectableClass: ResultsReporter },
]
