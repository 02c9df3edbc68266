/** The kind of an {@link EnvironmentWarning}. Stable, for programs. */
export type EnvironmentWarningCode =
  /** Two variables contradict each other; one of them is used. */
  | 'conflicting-variables'
  /** USE_PGBOUNCER is true, but there is no PGBOUNCER_HOST. */
  | 'switch-without-host'
  /** PGBOUNCER_HOST is set, but USE_PGBOUNCER is not. */
  | 'pooler-not-used'
  /** A duration in milliseconds that looks like seconds. */
  | 'looks-like-seconds'

/** Variables that contradict each other, or look like a mistake. Never contains a password. */
export interface EnvironmentWarning {
  readonly code: EnvironmentWarningCode
  /** The variable that has no effect, or a harmful one. */
  readonly parameter: string
  readonly why: string
  readonly instead: string
}
