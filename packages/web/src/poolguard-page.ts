import { HealthMonitor, InvalidOptionError } from '@poolguard/core'
import { listPools, omitUndefined } from '@poolguard/core/adapter'
import { requireSources } from '@poolguard/core/web'
import { Drain, type EndpointOptions, type PageOptions, readTokens, requireAdminTokens } from './endpoints/index.ts'
import { PageHandler, ProcessContent } from './page/index.ts'
import { readSwitch } from './read-switch.ts'

/** Options of the live page on a route of the app. */
export interface PoolguardPageOptions
  extends Pick<PageOptions, 'sources' | 'actions'>,
    Pick<EndpointOptions, 'adminToken' | 'thresholds' | 'windowMillis' | 'recoveryMillis'> {}

/**
 * The live page of the guarded pools of this process, as a web-standard handler for a route of the app: it answers GET and POST at
 * whatever address the app has mounted it.
 *
 * @throws {InvalidOptionError} for an invalid option, and without an admin token.
 * @example
 * // Next.js, app/admin/poolguard/route.ts
 * export const GET = poolguardPage({ adminToken: process.env.ADMIN_TOKEN })
 * export const POST = GET
 */
export function poolguardPage(options: PoolguardPageOptions): (request: Request) => Promise<Response> {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError('options', options, 'an object with adminToken')
  const { adminToken, sources = [], thresholds, windowMillis, recoveryMillis } = options
  const adminTokens = readTokens(adminToken)
  requireAdminTokens(adminTokens, adminToken)
  const pageActions = readSwitch('actions', options.actions, false)
  const pageSources = requireSources('sources', sources)
  const monitor = new HealthMonitor(omitUndefined({ thresholds, windowMillis, recoveryMillis }))
  const content = new ProcessContent({ pageSources, pageActions, monitor, pools: listPools, drain: new Drain() })
  const handler = new PageHandler({ content, adminTokens })
  return (request) => handler.respond(request)
}
