import { isEnglish } from './translate.ts'

export const HOME_PAGE = 'https://github.com/poolguard/poolguard'

/** Where the documentation is published. */
const DOCUMENTATION = `${HOME_PAGE}/blob/main/docs`

/** The page of a doctor rule, in the language of the output. */
export function rulePage(rule: string): string {
  return translatedPage(`doctor/${rule}.md`)
}

/** The section about a cause of connection errors, in the language of the output: its heading is the cause in each. */
export function connectionErrorPage(cause: string): string {
  return translatedPage(`connection-errors.md#${cause}`)
}

/** A page of the documentation in English: `options.md`. */
export function documentationPage(path: string): string {
  return `${DOCUMENTATION}/${path}`
}

function translatedPage(path: string): string {
  return documentationPage(isEnglish() ? path : `zh/${path}`)
}
