/**
 * The parts that the Fastify plugin and the NestJS module share with the web-standard handler. They are not covered by semantic
 * versioning: any release may change them.
 *
 * @module @poolguard/web/adapter
 */

export {
  Drain,
  type DrainedResponse,
  type Endpoint,
  type EndpointHeaders,
  type EndpointOptions,
  type EndpointSettings,
  type EndpointSources,
  type MetricsOptions,
  makeEndpoints,
  type Reply,
  readEndpointSettings,
} from './endpoints/index.ts'
export {
  type ActionDone,
  ActionError,
  EventLog,
  findHolder,
  makePage,
  type NodeRequest,
  type Page,
  type PageContent,
  PageHandler,
  PoolHistory,
  type PoolReading,
  servePage,
  terminateSession,
  toWebRequest,
  viewPools,
  worstOf,
} from './page/index.ts'
export { readSwitch } from './read-switch.ts'
export {
  bodyOf,
  hasStatus,
  LoadShedder,
  LoadShedError,
  MESSAGE_FOR_CLIENTS,
  type RequestOptions,
  type RequestSettings,
  readRequestSettings,
  ServiceUnavailableError,
  toUnavailable,
} from './requests/index.ts'
