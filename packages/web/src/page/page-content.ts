import type { PageAction, PageDocument, PoolSample } from '@poolguard/page'

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
  /**
   * Performs an action. Undefined if the page has no actions.
   *
   * @throws {ActionError} if it cannot be performed.
   */
  act?: ((action: PageAction) => Promise<ActionDone>) | undefined
  /** Adds an action to the events of the page. */
  logAction?(done: ActionDone): void
  /** Whether open streams have to end. */
  readonly isClosing: boolean
}

/** An action that was performed, or failed. */
export interface ActionDone {
  /** The name of its pool or source. */
  readonly subject: string
  /** What was done: `resized pool "orders" from 5 to 8`. */
  readonly text: string
}

/** The pool or the session does not exist, or the action is not possible there. The message is for the user of the page. */
export class ActionError extends Error {}
