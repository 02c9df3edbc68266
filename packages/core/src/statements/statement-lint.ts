import { InvalidOptionError } from '../invalid-option-error.ts'
import { NO_FINDINGS } from './finding-list.ts'
import { fingerprint } from './fingerprint.ts'
import { lintStatement } from './lint-statement.ts'
import { RecentKeys } from './recent-keys.ts'
import type { StatementFinding } from './statement-finding.ts'

/** Of a longer text only this much is read, and a fingerprint is kept instead of the text. */
const MAX_TEXT = 10_000

export interface StatementLintOptions {
  /** How many texts without findings to remember, and how many with findings. Default: 1,000 each. */
  readonly maxTexts?: number
}

/**
 * Reports the findings of each text once. Its memory is bounded: after many other texts, a text may be reported
 * again. Texts with findings are stored separately, so that a flood of texts without findings does not displace them.
 *
 * If a text is longer than 10,000 characters, the first 10,000 are read, and two texts of the same length, beginning and
 * end count as the same.
 *
 * @example
 * const lint = new StatementLint()
 * for (const { construct, why, instead } of lint.firstSight('SET search_path = app')) console.warn(`${construct}: ${why} Instead: ${instead}`)
 */
export class StatementLint {
  readonly #harmless: RecentKeys<string | number, true>
  readonly #reported: RecentKeys<string | number, true>

  /** @throws {InvalidOptionError} if `maxTexts` is not a whole number of at least 2. */
  constructor({ maxTexts = 1_000 }: StatementLintOptions = {}) {
    if (!Number.isSafeInteger(maxTexts) || maxTexts < 2) {
      throw new InvalidOptionError('maxTexts', maxTexts, 'a whole number of at least 2')
    }
    this.#harmless = new RecentKeys(maxTexts)
    this.#reported = new RecentKeys(maxTexts)
  }

  /** The number of texts in memory. */
  get size(): number {
    return this.#harmless.size + this.#reported.size
  }

  /** The findings of a new text; otherwise a shared empty array. */
  newFindings(text: string): readonly StatementFinding[] {
    const key = keyOf(text)
    if (this.#harmless.get(key) || this.#reported.get(key)) return NO_FINDINGS
    return this.#read(text, key)
  }

  /** The findings of the text, every time. A text without findings is not read again. */
  allFindings(text: string): readonly StatementFinding[] {
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
