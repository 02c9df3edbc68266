export { LoadShedder } from './load-shedder.ts'
export { RequestGuard, type RouteOptions, requireRoute } from './request-guard.ts'
export { type RequestOptions, type RequestSettings, readRequestSettings } from './request-options.ts'
export {
  bodyOf,
  hasStatus,
  LoadShedError,
  MESSAGE_FOR_CLIENTS,
  ServiceUnavailableError,
  toUnavailable,
} from './unavailable-error.ts'
