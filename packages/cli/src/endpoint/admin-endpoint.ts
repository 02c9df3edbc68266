import { environment } from '../environment/own-environment.ts'
import { rememberSecret } from '../output/printable.ts'
import { readVariables, type TargetOptions } from '../target.ts'
import type { EndpointOptions } from './ask-admin-endpoint.ts'
import { readHttpAddress } from './http-address.ts'

/** Where @poolguard/fastify, @poolguard/nestjs and @poolguard/web serve the figures of an app's pools by default. */
const ADMIN_PATH = '/admin/db-pool-stats'
const TOKEN_VARIABLE = 'POOLGUARD_TOKEN'

/**
 * The admin endpoint of an app, and the token for it from the environment.
 *
 * @param address its URL; the path may be left out.
 * @throws {CannotRunError} for an invalid URL.
 */
export function adminEndpoint(address: string, options: Pick<TargetOptions, 'dotenv' | 'folder'>): EndpointOptions {
  const url = readHttpAddress(address)
  if (url.pathname === '/') url.pathname = ADMIN_PATH
  const token = readVariables({ ...options, env: environment })[TOKEN_VARIABLE]
  rememberSecret(token)
  return { url, token }
}
