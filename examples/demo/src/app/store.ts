/** The demo app's database operations, implemented with each library. */
export interface Store {
  /** The balance of one account. */
  balance(id: number): Promise<number>
  /** Moves one unit between accounts, in a transaction. */
  transfer(from: number, to: number): Promise<void>
  /** The total of all balances, by a slow query. */
  total(): Promise<number>
  close(): Promise<void>
}
