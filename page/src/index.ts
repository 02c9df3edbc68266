/**
 * The browser part of the live page, and the document that it shows. @poolguard/web contains the built files.
 *
 * @module @poolguard/page
 */

export type {
  EventView,
  FindingView,
  FleetView,
  HolderView,
  LaneView,
  PageAction,
  PageDocument,
  PoolSample,
  PoolView,
  ProcessView,
  Shown,
  SourceView,
  Status,
  WaiterView,
  WatchedView,
} from './page-document.ts'
export { type PageFile, pageFiles } from './page-files.ts'
