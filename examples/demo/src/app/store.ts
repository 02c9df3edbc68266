/** What the demo's app does with its database, whatever library it does it with. */
export interface Store {
  /** One account. */
  balance(id: number): Promise<number>
  /** Moves one unit, in a transaction. */
  transfer(from: number, to: number): Promise<void>
  close(): Promise<void>
}
