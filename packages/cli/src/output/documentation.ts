/** Where the documentation is published. */
const DOCUMENTATION = 'https://github.com/poolguard/poolguard/blob/main/docs'

/** The page of a doctor rule. */
export function rulePage(rule: string): string {
  return `${DOCUMENTATION}/doctor/${rule}.md`
}
