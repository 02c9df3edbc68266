import { KnownSecrets, redact } from '@poolguard/core/adapter'
import { ESCAPE_MARK } from './paint.ts'

/**
 * Invisible characters that control a terminal: C0 and C1 controls, DEL, Unicode line separators, and marks that change the
 * text direction (https://trojansource.codes).
 */
const ACTING = String.raw`\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff`
const ACTING_CHARACTER = new RegExp(`[${ACTING}]`, 'g')
/** In multi-line text, line ends and tabs are layout. */
const ACTING_BUT_LAYOUT = new RegExp(String.raw`(?![\n\t])[${ACTING}]`, 'g')

export interface PrintOptions {
  /** Default true. False for generated files, whose commands only look like secrets (`password = :'x'`). */
  readonly redacts?: boolean
}

/** This command's passwords: a server, a driver or a project may repeat them in any text. */
let knownSecrets = new KnownSecrets()

/** Clears the secrets when a command starts. */
export function forgetSecrets(): void {
  knownSecrets = new KnownSecrets()
}

/** Redacts this text from all later output, also in its escaped form. */
export function rememberSecret(secret: unknown): void {
  knownSecrets.add(secret)
  knownSecrets.add(withPlainTexts(secret))
}

function withoutSecrets(text: string): string {
  return redact(knownSecrets.hideIn(text))
}

/** Makes text safe to print: redacts secrets, and escapes control characters except our own colours. */
export function printable(text: string, { redacts = true }: PrintOptions = {}): string {
  const shown = redacts ? withoutSecrets(text) : text
  return shown.replaceAll(ACTING_BUT_LAYOUT, escapeCharacter).replaceAll(ESCAPE_MARK, '\u001b')
}

/** Makes one line safe to print: redacts secrets, and escapes control characters and line ends. */
export function printableLine(text: string): string {
  return withPlainTexts(withoutSecrets(text))
}

/** Makes JSON safe to print, on one line or indented. Control characters in strings become `\u202e`. */
export function printableJson(
  value: unknown,
  { indent, redacts = true }: PrintOptions & { readonly indent?: number } = {},
): string {
  const replace = (_name: string, each: unknown) => (redacts && typeof each === 'string' ? withoutSecrets(each) : each)
  return (JSON.stringify(value, replace, indent) ?? '').replaceAll(ACTING_BUT_LAYOUT, escapeForJson)
}

/**
 * Copies plain data, and escapes control characters and line ends in every string. Call it on data from outside, so that a
 * name cannot look like a line of the report.
 */
export function withPlainTexts<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(ACTING_CHARACTER, escapeCharacter) as T
  if (Array.isArray(value)) return value.map(withPlainTexts) as T
  if (value instanceof Map) return new Map([...value].map(withPlainTexts)) as T
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(withPlainTexts)) as T
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`
}

function escapeForJson(character: string): string {
  return `\\u${hex(character.charCodeAt(0), 4)}`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
