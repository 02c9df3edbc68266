/**
 * The parts that poolguard's adapters of web frameworks use besides `@poolguard/core/adapter`: pages with metrics and health, and the limits of
 * requests. They are separate because a pool needs none of them. Like `@poolguard/core/adapter`, they are not covered by semantic versioning.
 *
 * @module @poolguard/core/web
 */

export { type EndingResponse, requireRouteDeadline, responseDeadline } from './lifecycle/index.ts'
export {
  DEFAULT_HEALTH_THRESHOLDS,
  evaluateHealth,
  type LoadedPool,
  LoadShedding,
  readShedLoad,
  renderPage,
  requireSources,
  type ShedLoadOptions,
} from './observe/index.ts'
