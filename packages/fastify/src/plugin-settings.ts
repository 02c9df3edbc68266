import { InvalidOptionError, type MetricsSources } from '@poolguard/core'
import {
  asyncContextIsCheap,
  readShedLoad,
  requireInteger,
  requireSources,
  type ShedLoadOptions,
} from '@poolguard/core/adapter'
import type { MetricsOptions, PoolguardFastifyOptions } from './plugin-options.ts'

/** Paths of the routes; undefined: no route. */
export interface RoutePaths {
  readonly health: string | undefined
  readonly ready: string | undefined
  readonly metrics: string | undefined
  readonly admin: string | undefined
}

/** The validated options of a registration, with defaults. */
export interface PluginSettings {
  readonly paths: RoutePaths
  readonly metricsSources: MetricsSources
  readonly adminTokens: readonly string[]
  readonly details: boolean
  readonly deadlines: boolean
  readonly labels: boolean
  readonly mapErrors: boolean
  readonly closeOnShutdown: boolean
  readonly closeDelayMillis: number
  readonly shedLoad: ShedLoadOptions | undefined
}

/**
 * Validates the options of a registration. `takePools` and `HealthMonitor` validate pools, thresholds and windows.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function readSettings(options: PoolguardFastifyOptions): PluginSettings {
  const isUnnamed = requireName(options.name) === undefined
  const { health = isUnnamed, ready = isUnnamed, admin = false, closeDelayMillis = 0 } = options
  const metrics = readMetricsOptions(options.metrics)
  requireInteger('closeDelayMillis', closeDelayMillis, 0)
  const adminTokens = readTokens(options.adminToken)
  const paths = {
    health: readPath('health', health, '/healthz'),
    ready: readPath('ready', ready, '/readyz'),
    metrics: readPath(metrics.option, metrics.path, '/metrics'),
    admin: readPath('admin', admin, '/admin/db-pool-stats'),
  }
  requireDistinct(paths)
  if (paths.admin !== undefined && adminTokens.length === 0) {
    const wanted = 'a token that protects the admin page. Is its environment variable set?'
    throw new InvalidOptionError('adminToken', options.adminToken, wanted)
  }
  return {
    paths,
    metricsSources: metrics.sources,
    adminTokens,
    details: readSwitch('details', options.details, false),
    deadlines: readSwitch('deadlines', options.deadlines, isUnnamed && asyncContextIsCheap),
    labels: readSwitch('labels', options.labels, isUnnamed && asyncContextIsCheap),
    mapErrors: readSwitch('mapErrors', options.mapErrors, isUnnamed),
    closeOnShutdown: readSwitch('closeOnShutdown', options.closeOnShutdown, false),
    closeDelayMillis,
    shedLoad: readShedLoad(options.shedLoad),
  }
}

function requireName(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '')) return name
  throw new InvalidOptionError('name', name, 'a string that is not empty')
}

/** An object without `path` means the default path. */
function readMetricsOptions(value: unknown = false): {
  readonly option: string
  readonly path: unknown
  readonly sources: MetricsSources
} {
  if (typeof value !== 'object' || value === null) return { option: 'metrics', path: value, sources: [] }
  const { path = true, sources = [] } = value as MetricsOptions
  return { option: 'metrics.path', path, sources: requireSources('metrics.sources', sources) }
}

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

function requireDistinct(paths: RoutePaths): void {
  const seen = new Map<string, string>()
  for (const [option, path] of Object.entries(paths)) {
    if (path === undefined) continue
    const other = seen.get(path)
    if (other) throw new InvalidOptionError(option, path, `another path than ${other}`)
    seen.set(path, option)
  }
}

/** Validates tokens one by one, so that an error about one token does not show the rest of the list. */
function readTokens(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [requireToken('adminToken', value)]
  return value.map((token, position) => requireToken(`adminToken[${position}]`, token))
}

function requireToken(option: string, token: unknown): string {
  if (typeof token !== 'string' || token.trim() === '') {
    throw new InvalidOptionError(option, token, 'a token. Is its environment variable set?')
  }
  // No header can carry such a token; defaultPathly it is a line end from a file.
  if (/[^!-~]/.test(token)) {
    throw new InvalidOptionError(option, '***', 'a token of visible ASCII characters, without spaces or line ends')
  }
  return token
}

function readSwitch(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  throw new InvalidOptionError(option, value, 'true or false')
}
