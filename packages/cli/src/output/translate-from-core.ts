import { CORE_TEXTS } from './core-texts.ts'
import { fillIn, isEnglish, translate } from './translate.ts'

/** Longer texts are not core's. */
const MAX_LENGTH = 1_000
/** `{0} cannot share {1} connections ({2})` contains an amount, which contains a sum. */
const MAX_DEPTH = 4

/** What joins the parts of a sentence, the outermost first. */
export const JOINTS: readonly string[] = [', or ', ', ', ' = ', ' x ']

/**
 * Translates a text that core has composed, by {@link CORE_TEXTS}. Core's messages are English, because they are also for logs.
 * Parts without a translation stay as they are.
 */
export function translateFromCore(text: string): string {
  if (isEnglish() || text.length > MAX_LENGTH) return text
  const isSentence = text.endsWith('.')
  const sentences = (isSentence ? text.slice(0, -1) : text).split('. ')
  const translated = sentences.map((sentence) => translateSentence(sentence, 0))
  if (translated.every((sentence, index) => sentence === sentences[index])) return text
  return translated.join(translate('. ')) + (isSentence ? translate('.') : '')
}

function translateSentence(text: string, depth: number): string {
  if (depth > MAX_DEPTH) return text
  for (const { key, pattern } of patterns()) {
    const values = pattern.exec(text)?.slice(1)
    if (values)
      return fillIn(
        translate(key),
        values.map((value) => translateSentence(value, depth + 1)),
      )
  }
  const joint = JOINTS.find((each) => text.includes(each))
  if (joint === undefined) return text
  const parts = text.split(joint)
  const translated = parts.map((part) => translateSentence(part, depth + 1))
  return translated.every((part, index) => part === parts[index]) ? text : translated.join(translate(joint))
}

let compiled: readonly { readonly key: string; readonly pattern: RegExp }[] | undefined

/** Compiled at the first use: English needs none. */
function patterns(): NonNullable<typeof compiled> {
  compiled ??= CORE_TEXTS.map((key) => ({
    key,
    pattern: new RegExp(
      `^${key
        .split(/\{\d+\}/)
        .map(escapeForPattern)
        .join('(.+?)')}$`,
      'is',
    ),
  }))
  return compiled
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}
