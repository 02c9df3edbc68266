/**
 * The parts that the Fastify plugin and the NestJS module share with the web-standard handler. They are not covered by semantic
 * versioning: any release may change them.
 *
 * @module @poolguard/web/adapter
 */

export {
  Drain,
  type Endpoint,
  type EndpointHeaders,
  type EndpointOptions,
  type EndpointSettings,
  type EndpointSources,
  type MetricsOptions,
  makeEndpoints,
  type Reply,
  readEndpointSettings,
  readSwitch,
} from './endpoints/index.ts'
