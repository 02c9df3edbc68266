import chinese from './chinese.json' with { type: 'json' }

export type Language = 'en' | 'zh'

const CATALOGUES: Readonly<Record<Language, ReadonlyMap<string, string>>> = {
  en: new Map(),
  zh: new Map(Object.entries(chinese)),
}

let catalogue = CATALOGUES.en

/** Does a part of a command in English, such as the content of a file. */
export function inEnglish<T>(work: () => T): T {
  const selected = catalogue
  catalogue = CATALOGUES.en
  try {
    return work()
  } finally {
    catalogue = selected
  }
}

/** Joins sentences. Chinese has no space after a full stop. */
export function joinSentences(...sentences: readonly (string | undefined)[]): string {
  return sentences
    .filter((sentence) => sentence !== undefined && sentence !== '')
    .reduce<string>(
      (joined, sentence) => `${joined}${/(?:^|[。；：，！？）])$/.test(joined) ? '' : ' '}${sentence}`,
      '',
    )
}

/** Whether texts stay as they are. */
export function isEnglish(): boolean {
  return catalogue === CATALOGUES.en
}

/** Selects the language of all later output of this command. */
export function selectLanguage(language: Language): void {
  catalogue = CATALOGUES[language]
}

/**
 * Translates a text. The English text is its key, with `{0}`, `{1}` for the values, so that a translation can reorder them. A
 * text without a translation stays English.
 *
 * @example
 *   t`${used} of ${max} connections are in use.`
 */
export function t(text: TemplateStringsArray, ...values: readonly unknown[]): string {
  const key = text.reduce((joined, part, index) => `${joined}{${index - 1}}${part}`)
  return fillIn(translate(key), values)
}

/** Replaces `{0}`, `{1}` by the values. */
export function fillIn(text: string, values: readonly unknown[]): string {
  return text.replaceAll(/\{(\d+)\}/g, (mark, index: string) =>
    Number(index) < values.length ? String(values[Number(index)]) : mark,
  )
}

/** Translates a text without values, such as the title of a rule. */
export function translate(text: string): string {
  return catalogue.get(text) ?? text
}
