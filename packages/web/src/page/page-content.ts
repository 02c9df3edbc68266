import type { PageDocument, PoolSample } from '@poolguard/page'

/** What a live page shows: the pools of a process, or those that `poolguard ui` watches. */
export interface PageContent {
  /**
   * Reads everything that the page shows.
   *
   * @param filter only pools whose names contain it, and what belongs to them.
   */
  readDocument(filter: string): PageDocument
  /** The last ten minutes of the pools with these ids. */
  readHistory(ids: ReadonlySet<number>): Readonly<Record<number, readonly PoolSample[]>>
  /** The stack of the caller that holds a connection; null if the connection has been released. */
  readStack(holder: string): string | null
  /** Whether open streams have to end. */
  readonly isClosing: boolean
}
