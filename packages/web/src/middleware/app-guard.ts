import type { Drain, Endpoint } from '../endpoints/index.ts'
import type { Page } from '../page/index.ts'
import type { RequestGuard } from '../requests/index.ts'

/** What the middleware of every framework needs of an app's options. */
export interface AppGuard {
  readonly requests: RequestGuard
  readonly drain: Drain
  readonly endpoints: readonly Endpoint[]
  /** The live page, if the app serves it. */
  readonly page: Page | undefined
}
