import { CHINESE } from './chinese.ts'

export type Language = 'en' | 'zh-CN'
/** A text of the page, in English; `{0}` stands for a value. */
export type Text = keyof typeof CHINESE

const KEY = 'poolguard.language'
let current = initialLanguage()

export function language(): Language {
  return current
}

/** Remembers the language for this browser. */
export function chooseLanguage(chosen: Language): Language {
  current = chosen
  try {
    localStorage.setItem(KEY, chosen)
  } catch {
    // The browser forbids storage: the choice lasts until the page is loaded again.
  }
  return current
}

/** The text in the language of the page. */
export function t(text: Text, ...values: readonly (string | number)[]): string {
  const pattern: string = current === 'en' ? text : CHINESE[text]
  return pattern.replace(/\{(\d)\}/g, (_, position: string) => String(values[Number(position)]))
}

function initialLanguage(): Language {
  try {
    const stored = localStorage.getItem(KEY)
    if (stored === 'en' || stored === 'zh-CN') return stored
  } catch {
    // No storage: the browser's languages decide.
  }
  const known = navigator.languages.find((each) => /^(en|zh)\b/.test(each))
  return known?.startsWith('zh') ? 'zh-CN' : 'en'
}
