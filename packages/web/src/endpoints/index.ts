export type {
  AdminDurations,
  AdminInsight,
  AdminLaneStats,
  AdminPool,
  AdminPoolStats,
  AdminReply,
} from './admin-reply.ts'
export { bearerToken, tokenCheck } from './admin-token.ts'
export { Drain, type DrainedResponse } from './drain.ts'
export type { EndpointOptions, MetricsOptions, PageOptions } from './endpoint-options.ts'
export { type EndpointSettings, readEndpointSettings } from './endpoint-settings.ts'
export { type Endpoint, type EndpointHeaders, type EndpointSources, findEndpoint, makeEndpoints } from './endpoints.ts'
export { readTokens, requireAdminTokens } from './read-tokens.ts'
export type { Reply } from './reply.ts'
