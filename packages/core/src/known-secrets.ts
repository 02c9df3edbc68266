import { HIDDEN } from './redact.ts'

/** Shorter ones occur in other words. */
const MIN_LENGTH = 6

/** Words without a digit occur in messages that mean something else: `password` in "password authentication failed". */
const WORD = /^\p{L}{0,19}$/u

/** Password functions bring another token every few minutes; no message repeats an old one. */
const MAX_SECRETS = 64

/** How deep causes are followed. */
const MAX_DEPTH = 8

/**
 * Secrets whose text is known, such as the password of a pool. A server or a driver that repeats one in a message of its own must
 * not bring it into logs.
 */
export class KnownSecrets {
  readonly #texts = new Set<string>()

  constructor(texts: Iterable<unknown> = []) {
    for (const text of texts) this.add(text)
  }

  /** Takes a text, also in its percent-encoded form; other values are none that a message could repeat. */
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
    // A longer one may begin with a shorter one.
    const texts = [...this.#texts].sort((one, other) => other.length - one.length)
    for (const secret of texts) shown = shown.replaceAll(secret, HIDDEN)
    return shown
  }

  /**
   * Replaces the secrets in the message, the stack and the other texts of an error, and in its causes.
   *
   * @returns the same error; a copy where one of its texts cannot be changed, as the stack of an error of postgres.js.
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
