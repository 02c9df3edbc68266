/** A recommended value for a PostgreSQL setting. */
export interface RecommendedSetting {
  readonly name: string
  /** In the format of postgresql.conf: `60s`, `2GB`, `100`. */
  readonly value: string
  readonly reason: string
  /** The page that explains it. */
  readonly source: string
  /**
   * How it applies to a server that has another value. `requested`: the user named it, so it always replaces the value.
   * `minimum`: raises a value, never lowers one that was set on purpose. `default`: applies only if no value is set.
   */
  readonly priority: 'requested' | 'minimum' | 'default'
}

const DOCS = 'https://www.postgresql.org/docs/current'

/** The URL of a setting in PostgreSQL's documentation. */
export function documentation(page: string, name: string): string {
  return `${DOCS}/${page}.html#GUC-${name.toUpperCase().replaceAll('_', '-')}`
}
