import { InvalidOptionError } from '../invalid-option-error.ts'
import { NO_FINDINGS } from './finding-list.ts'
import { fingerprint } from './fingerprint.ts'
import { lintStatement } from './lint-statement.ts'
import { RecentKeys } from './recent-keys.ts'
import type { StatementFinding } from './statement-finding.ts'

/** Longer texts are read up to here, and remembered by a fingerprint. */
const MAX_TEXT = 10_000

export interface StatementLintOptions {
  /** How many texts to remember: so many without findings, and so many with. Default 1,000. */
  readonly maxTexts?: number
}

/**
 * Tells what is found in a text once, when it is first seen. What it remembers is bounded: after many other texts one may count
 * as new again. Texts with findings are remembered apart, so that a flood of harmless texts does not bring them back.
 *
 * Of a text longer than 10,000 characters, the first 10,000 are read, and two of the same length with the same beginning and
 * end are taken for one.
 *
 * @example
 * const lint = new StatementLint()
 * for (const { construct, why, instead } of lint.firstSight('SET search_path = app')) console.warn(`${construct}: ${why} Instead: ${instead}`)
 */
export class StatementLint {
  readonly #harmless: RecentKeys<string | number, true>
  readonly #reported: RecentKeys<string | number, true>

  /** @throws InvalidOptionError where `maxTexts` is not a whole number of at least 2. */
  constructor({ maxTexts = 1_000 }: StatementLintOptions = {}) {
    if (!Number.isSafeInteger(maxTexts) || maxTexts < 2) {
      throw new InvalidOptionError('maxTexts', maxTexts, 'a whole number of at least 2')
    }
    this.#harmless = new RecentKeys(maxTexts)
    this.#reported = new RecentKeys(maxTexts)
  }

  /** How many texts are remembered. */
  get size(): number {
    return this.#harmless.size + this.#reported.size
  }

  /** The findings, where the text is new; otherwise, and where there are none, one and the same empty array. */
  firstSight(text: string): readonly StatementFinding[] {
    const key = keyOf(text)
    if (this.#harmless.get(key) || this.#reported.get(key)) return NO_FINDINGS
    return this.#read(text, key)
  }

  /** The findings, however often the text was seen. A harmless one is not read again. */
  everySight(text: string): readonly StatementFinding[] {
    const key = keyOf(text)
    return this.#harmless.get(key) ? NO_FINDINGS : this.#read(text, key)
  }

  #read(text: string, key: string | number): readonly StatementFinding[] {
    const findings = lintStatement(text, MAX_TEXT)
    if (findings.length > 0) this.#reported.add(key, true)
    else this.#harmless.add(key, true)
    return findings
  }
}

function keyOf(text: string): string | number {
  return text.length > MAX_TEXT ? fingerprint(text) : text
}
