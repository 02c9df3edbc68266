import { fingerprint, RecentKeys, showStatement } from '../../statements/index.ts'
import { operationOf } from './operation.ts'

/** Texts whose fingerprint is remembered. */
const MAX_TEXTS = 2_000
/** A longer text is remembered by a hash. */
const MAX_TEXT = 2_000
const MAX_STATEMENTS = 1_000
/** Fingerprints are made of this many new texts a second: an app that writes values into its texts sends a new text each time. */
const NEW_TEXTS_PER_SECOND = 500

const CONTROL = /^(?:begin|start|commit|end|rollback|abort|savepoint|release)\b/i

/** All texts that differ only in their literals. */
export class KnownStatement {
  /** On one line, with `?` for each literal. */
  readonly text: string
  /** The operation of the ORM, if the ORM or the app names it in a comment. */
  readonly operation: string | undefined
  /** It begins or ends a transaction or a part of one. */
  readonly isControl: boolean

  constructor(text: string, operation?: string) {
    this.text = text
    this.operation = operation
    this.isControl = CONTROL.test(text)
  }
}

/** Statements beyond the bounds. */
export const OTHER_STATEMENTS: KnownStatement = new KnownStatement('(other statements)')

/** Finds the statement of a text. Forgets the least recently used ones. */
export class KnownStatements {
  readonly #byText = new RecentKeys<string | number, KnownStatement>(MAX_TEXTS)
  readonly #byFingerprint = new RecentKeys<string, KnownStatement>(MAX_STATEMENTS)
  /** postgres.js has one array of strings for each tagged template in the source. */
  readonly #byTemplate = new WeakMap<object, KnownStatement>()
  #newTexts = 0
  #secondBeganAt = Number.NEGATIVE_INFINITY

  find(text: string, now: number): KnownStatement {
    const key = text.length > MAX_TEXT ? fingerprint(text) : text
    const known = this.#byText.get(key)
    if (known) return known
    if (!this.#mayAdd(now)) return OTHER_STATEMENTS
    const made = this.#make(text)
    this.#byText.add(key, made)
    return made
  }

  /** The statement of a tagged template; undefined if it is not known yet. */
  findTemplate(template: object): KnownStatement | undefined {
    return this.#byTemplate.get(template)
  }

  /** @param text of the template, with placeholders for its values. */
  addTemplate(template: object, text: string, now: number): KnownStatement {
    const statement = this.find(text, now)
    if (statement !== OTHER_STATEMENTS) this.#byTemplate.set(template, statement)
    return statement
  }

  #make(text: string): KnownStatement {
    const shown = showStatement(text)
    const operation = operationOf(text)
    const key = operation === undefined ? shown : `${operation}\n${shown}`
    const known = this.#byFingerprint.get(key)
    if (known) return known
    const made = new KnownStatement(shown, operation)
    this.#byFingerprint.add(key, made)
    return made
  }

  #mayAdd(now: number): boolean {
    if (now - this.#secondBeganAt >= 1_000) {
      this.#secondBeganAt = now
      this.#newTexts = 0
    }
    return this.#newTexts++ < NEW_TEXTS_PER_SECOND
  }
}
