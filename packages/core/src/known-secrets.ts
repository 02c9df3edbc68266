import { HIDDEN } from './redact.ts'
import { UnicodePattern } from './unicode-pattern.ts'

/** Shorter secrets would match parts of ordinary words. */
const MIN_LENGTH = 6

/** Words without a digit occur in ordinary messages: `password` in "password authentication failed". */
const WORD = new UnicodePattern(String.raw`^[\p{L}]{0,19}$`)

/** Password functions return a new token every few minutes; no message repeats an old one. */
const MAX_SECRETS = 64

/** Maximum depth of nested causes. */
const MAX_DEPTH = 8

/**
 * Secrets whose text is known, such as the password of a pool. They must not reach logs in messages of servers and drivers that
 * repeat them.
 */
export class KnownSecrets {
  readonly #texts = new Set<string>()

  constructor(texts: Iterable<unknown> = []) {
    for (const text of texts) this.add(text)
  }

  /** Adds a text and its percent-encoded form. Other values are ignored: a message cannot repeat them. */
  add(secret: unknown): void {
    if (typeof secret !== 'string' || secret.length < MIN_LENGTH || WORD.test(secret)) return
    for (const text of [secret, encodeURIComponent(secret.toWellFormed())]) this.#texts.add(text)
    for (const oldest of this.#texts) {
      if (this.#texts.size <= MAX_SECRETS) return
      this.#texts.delete(oldest)
    }
  }

  hideIn(text: string): string {
    let shown = text
    // Longest first: a longer secret may begin with a shorter one.
    const texts = [...this.#texts].sort((one, other) => other.length - one.length)
    for (const secret of texts) shown = shown.replaceAll(secret, HIDDEN)
    return shown
  }

  /**
   * Replaces the secrets in the message, the stack and the other texts of an error, and in its causes.
   *
   * @returns the same error, or a copy if one of its texts is read-only, like the stack of a postgres.js error.
   */
  hideInError(error: unknown, depth = 0): unknown {
    if (this.#texts.size === 0 || typeof error !== 'object' || error === null || depth > MAX_DEPTH) return error
    const changed: Record<string, unknown> = {}
    for (const name of Object.getOwnPropertyNames(error)) {
      const value: unknown = Reflect.get(error, name)
      const shown = this.#shown(name, value, depth)
      if (shown !== value) changed[name] = shown
    }
    const isChanged = Object.entries(changed).every(([name, shown]) => Reflect.set(error, name, shown))
    return isChanged ? error : copyWith(error, changed)
  }

  #shown(name: string, value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.hideIn(value)
    if (name === 'cause') return this.hideInError(value, depth + 1)
    if (name !== 'errors' || !Array.isArray(value)) return value
    const errors = value.map((each) => this.hideInError(each, depth + 1))
    return errors.every((each, index) => each === value[index]) ? value : errors
  }
}

function copyWith(error: object, changed: Record<string, unknown>): object {
  const copy = Object.setPrototypeOf(new Error(), Object.getPrototypeOf(error)) as object
  for (const name of Object.getOwnPropertyNames(error)) {
    const { enumerable = false } = Object.getOwnPropertyDescriptor(error, name) ?? {}
    const value: unknown = Object.hasOwn(changed, name) ? changed[name] : Reflect.get(error, name)
    Object.defineProperty(copy, name, { value, enumerable, configurable: true, writable: true })
  }
  return copy
}
