/** The most connections that each stack may open. */
export const MAX_CONNECTIONS = 4

/** Callers that work at the same time: twice as many as there are connections. */
export const CALLERS = 8

/** A way to reach PostgreSQL from Node. */
export interface Stack {
  readonly name: string
  /** What it runs on, such as `pg 8.23`. */
  readonly packages: readonly string[]
  open(url: string): Promise<StackApp>
}

/** What an app does with its stack. */
export interface StackApp {
  /** Inserts a row by one statement. */
  write(id: number): Promise<unknown>
  /** Inserts two rows in one transaction. */
  writeTwice(id: number, between: () => Promise<unknown>): Promise<unknown>
  read(): Promise<unknown>
  /** Runs one statement and throws its rows away. */
  run(text: string): Promise<unknown>
  /** Takes a connection by hand; undefined if the stack's API has no such call. */
  borrow: (() => Promise<Borrowed>) | undefined
  close(): Promise<unknown>
}

/** A connection that was taken by hand. */
export interface Borrowed {
  run(text: string): Promise<unknown>
  release(): unknown
}

export const INSERT = 'insert into ledger (id, part) values '
export const READ = 'select count(*) from (select 1 from ledger limit 20) as some_rows'

/** A row of a write, as SQL: all stacks send the same texts. */
export function rowOf(id: number, part: 'only' | 'first' | 'second'): string {
  return `${INSERT}(${id}, '${part}')`
}
