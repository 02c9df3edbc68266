export const HOME_PAGE = 'https://github.com/poolguard/poolguard'

/** Where the documentation is published. */
const DOCUMENTATION = `${HOME_PAGE}/blob/main/docs`

/** The page of a doctor rule. */
export function rulePage(rule: string): string {
  return documentationPage(`doctor/${rule}.md`)
}

/** A page of the documentation: `options.md`. */
export function documentationPage(path: string): string {
  return `${DOCUMENTATION}/${path}`
}

/** The section about a cause of connection errors. */
export function connectionErrorPage(cause: string): string {
  return `${DOCUMENTATION}/connection-errors.md#${cause}`
}
