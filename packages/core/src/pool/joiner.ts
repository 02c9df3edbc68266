/** A caller that may leave the line, because it can also be served on a connection that another caller holds. */
export interface Joiner {
  /** False while the caller needs a connection of its own. */
  readonly mayJoin: boolean
  /**
   * Called when the caller begins to wait.
   *
   * @param leave takes the caller out of the line; false if it has left the line already. After true, its `acquire` never settles.
   */
  onWait(leave: () => boolean): void
}
