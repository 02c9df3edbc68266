/** What an {@link EnvironmentWarning} is about. Stable, for programs. */
export type EnvironmentWarningCode =
  /** Two variables say different things of the same; one is taken. */
  | 'conflicting-variables'
  /** The switch to the pooler is on, but nothing says where the pooler is. */
  | 'switch-without-host'
  /** A pooler is described, but not switched on. */
  | 'pooler-not-used'
  /** A duration in milliseconds that looks like seconds. */
  | 'looks-like-seconds'

/** Something in the environment that contradicts something else, or cannot be meant. Never holds a password. */
export interface EnvironmentWarning {
  readonly code: EnvironmentWarningCode
  /** The variable that does nothing, or harm. */
  readonly parameter: string
  readonly why: string
  readonly instead: string
}
