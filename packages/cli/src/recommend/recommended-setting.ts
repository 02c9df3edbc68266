/** What a setting of PostgreSQL should be. */
export interface RecommendedSetting {
  readonly name: string
  /** As it is written into a configuration: `60s`, `2GB`, `100`. */
  readonly value: string
  readonly reason: string
  /** Where that is explained. */
  readonly source: string
  /**
   * Who wants it, and so what may be changed on a server where somebody has set another value: `asked` for by the user,
   * whatever is there; `amount`, which is raised and never lowered; `missing`, which is set only where there is none.
   */
  readonly wish: 'asked' | 'amount' | 'missing'
}

const DOCS = 'https://www.postgresql.org/docs/current'

/** The place of a setting in PostgreSQL's documentation. */
export function documentation(page: string, name: string): string {
  return `${DOCS}/${page}.html#GUC-${name.toUpperCase().replaceAll('_', '-')}`
}
