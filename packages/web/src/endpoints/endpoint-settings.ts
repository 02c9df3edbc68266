import { InvalidOptionError, type MetricsSources } from '@poolguard/core'
import { requireSources } from '@poolguard/core/web'
import { readSwitch } from '../read-switch.ts'
import type { EndpointOptions } from './endpoint-options.ts'
import { readTokens, requireAdminTokens } from './read-tokens.ts'

/** Paths of the endpoints; undefined: no endpoint. */
export interface EndpointPaths {
  readonly health: string | undefined
  readonly ready: string | undefined
  readonly metrics: string | undefined
  readonly admin: string | undefined
  readonly page: string | undefined
}

/** The validated options of the endpoints, with defaults. */
export interface EndpointSettings {
  readonly paths: EndpointPaths
  readonly metricsSources: MetricsSources
  readonly pageSources: MetricsSources
  readonly pageActions: boolean
  readonly adminTokens: readonly string[]
  readonly details: boolean
}

/**
 * Validates the options of the endpoints. `HealthMonitor` validates thresholds and windows.
 *
 * @param hasProbes whether the probes are on by default.
 * @throws {InvalidOptionError} names the option and the value.
 */
export function readEndpointSettings(options: EndpointOptions, hasProbes = true): EndpointSettings {
  const { health = hasProbes, ready = hasProbes, admin = false } = options
  const metrics = readPageOptions('metrics', options.metrics)
  const page = readPageOptions('page', options.page)
  const adminTokens = readTokens(options.adminToken)
  const paths = {
    health: readPath('health', health, '/healthz'),
    ready: readPath('ready', ready, '/readyz'),
    metrics: readPath(metrics.option, metrics.path, '/metrics'),
    admin: readPath('admin', admin, '/admin/db-pool-stats'),
    page: readPath(page.option, page.path, '/admin/poolguard'),
  }
  requireDistinct(paths)
  const isProtected = paths.admin !== undefined || paths.page !== undefined
  if (isProtected) requireAdminTokens(adminTokens, options.adminToken)
  return {
    paths,
    metricsSources: metrics.sources ?? [],
    pageActions: page.actions ?? false,
    pageSources: page.sources ?? metrics.sources ?? [],
    adminTokens,
    details: readSwitch('details', options.details, false),
  }
}

/** An object without `path` means the default path. */
function readPageOptions(
  option: 'metrics' | 'page',
  value: unknown = false,
): {
  readonly option: string
  readonly path: unknown
  readonly sources?: MetricsSources
  readonly actions?: boolean
} {
  if (typeof value !== 'object' || value === null) return { option, path: value }
  const { path = true, sources, actions } = value as { path?: unknown; sources?: unknown; actions?: unknown }
  const checked = sources === undefined ? {} : { sources: requireSources(`${option}.sources`, sources) }
  const allowed = option === 'page' ? { actions: readSwitch('page.actions', actions, false) } : {}
  return { option: `${option}.path`, path, ...checked, ...allowed }
}

/** Rejects a URL: the error of a framework's router would show its password. */
function readPath(option: string, value: unknown, defaultPath: string): string | undefined {
  if (value === false) return undefined
  if (value === true) return defaultPath
  if (typeof value === 'string' && value.startsWith('/') && !/@|:\//.test(value)) return value
  throw new InvalidOptionError(
    option,
    value,
    `a path that begins with a slash, true (${defaultPath}) or false (no such route)`,
  )
}

function requireDistinct(paths: EndpointPaths): void {
  const seen = new Map<string, string>()
  for (const [option, path] of Object.entries(paths)) {
    if (path === undefined) continue
    const other = seen.get(path)
    if (other) throw new InvalidOptionError(option, path, `another path than ${other}`)
    seen.set(path, option)
  }
}
