import type { ResolvedSettings } from './resolve.ts'

/**
 * The settings that hold and why, one line each, for people: at debug level (`NODE_DEBUG=poolguard`) every pool prints them
 * once it has looked at its database.
 *
 * @example
 * console.log(describeSettings(pool.resolved))
 * // max                      2          planned: max_connections 20 - 3 reserved = 17; ...
 * // acquireTimeoutMillis     10000      default
 */
export function describeSettings({ settings, reasons, warnings }: ResolvedSettings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name.padEnd(24)} ${String(value).padEnd(10)} ${reasons[name as keyof typeof settings]}`,
  )
  return [...lines, ...warnings.map((warning) => `! ${warning}`)].join('\n')
}
