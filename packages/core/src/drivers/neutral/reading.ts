import {
  type ConnectionString,
  ConnectionStringError,
  isKnownParameter,
  isTailOfSecret,
  normalizeTarget,
  type UrlParameter,
} from '../../connection-string/index.ts'
import { mayHoldSecret } from '../../describe-value.ts'
import { omitUndefined } from '../../omit-undefined.ts'
import { HIDDEN } from '../../redact.ts'
import type { RewriteWarning } from '../rewriting.ts'
import {
  type ConnectionSettings,
  type NumericSetting,
  SERVER_SETTINGS,
  validateConnectionSettings,
} from './connection-settings.ts'
import { isServerSetting } from './server-settings.ts'
import { parseStartupOptions, type ServerSetting } from './startup-options.ts'
import { readTlsIntent, TLS_PARAMETERS, type TlsIntent } from './tls-intent.ts'
import { readUrlSettings, type UrlSetting } from './url-settings.ts'

/** A connection string and the caller's settings, interpreted independently of any driver. Each pool reads them once. */
export interface Reading {
  /** Hosts, user, password and database, without parameters. */
  readonly target: ConnectionString
  /** The caller's settings, and the settings of the URL that the caller does not override. */
  readonly settings: ConnectionSettings
  /** The settings in the URL. */
  readonly urlSettings: readonly UrlSetting[]
  /** Server settings: from `options`, from separate parameters, and from the caller. */
  readonly serverSettings: readonly ServerSetting[]
  /** The words of `options` that are not settings. */
  readonly routing: readonly string[]
  readonly schema: string | undefined
  readonly tls: TlsIntent
  /** All other parameters, one of each name. */
  readonly others: ReadonlyMap<string, string>
  /** Warnings about settings in the URL that the caller overrides with another value. */
  readonly overridden: readonly RewriteWarning[]
}

/**
 * @throws {ConnectionStringError} if a parameter is invalid; names the parameter.
 * @throws {InvalidOptionError} if a setting is invalid; names the setting.
 */
export function readConnection(connection: ConnectionString, settings: ConnectionSettings = {}): Reading {
  validateConnectionSettings(settings)
  const normalized = withAddress(normalizeTarget(connection))
  const urlSettings = readUrlSettings(normalized)
  const options = parseStartupOptions(normalized.parameter('options') ?? '')
  const plain = normalized.parameters.filter(([name]) => isServerSetting(name))
  const taken = new Set([
    ...urlSettings.map(({ parameter }) => parameter),
    ...plain.map(([name]) => name),
    ...TLS_PARAMETERS,
    'options',
    'schema',
    'application_name',
  ])
  return {
    target: normalized.with({ parameters: [] }),
    settings: { ...settingsInUrl(normalized, urlSettings), ...omitUndefined(settings) },
    urlSettings,
    serverSettings: [...options.settings, ...plain.map(asSetting), ...serverSettingsOf(settings)],
    routing: options.rest,
    schema: normalized.parameter('schema') || undefined,
    tls: readTlsIntent(normalized),
    others: new Map(
      normalized.parameters.flatMap((parameter, index) => otherParameter(normalized, parameter, index, taken)),
    ),
    overridden: overrideWarnings(urlSettings, settings),
  }
}

/** A warning must not show an unknown name that may be a piece of a password. */
function otherParameter(
  { parameters }: ConnectionString,
  [name, value]: UrlParameter,
  index: number,
  taken: ReadonlySet<string>,
): UrlParameter[] {
  // As in libpq, an empty service is none.
  if (taken.has(name) || (name === 'service' && value === '')) return []
  return [
    [isTailOfSecret(parameters, index) || (!isKnownParameter(name) && mayHoldSecret(name)) ? HIDDEN : name, value],
  ]
}

/** The value of a boolean parameter. */
export function readFlag({ others }: Reading, name: string): boolean | undefined {
  const text = others.get(name)
  if (text === undefined) return undefined
  if (text === 'true' || text === '1' || text === '') return true
  if (text === 'false' || text === '0' || text === 'disable') return false
  throw new ConnectionStringError('parameters', `${name} must be true or false`)
}

/** The addresses of libpq's `hostaddr` are the hosts if there are no others. */
function withAddress(connection: ConnectionString): ConnectionString {
  const addresses = connection.parameter('hostaddr')
  if (connection.hosts.length > 0 || !addresses) return connection
  return connection.with({ hosts: addresses.split(',').map((host) => ({ host })) })
}

function settingsInUrl(connection: ConnectionString, urlSettings: readonly UrlSetting[]): ConnectionSettings {
  const applicationName = connection.parameter('application_name') || undefined
  return {
    ...Object.fromEntries(urlSettings.map(({ setting, value }) => [setting, value])),
    ...(applicationName !== undefined && { applicationName }),
  }
}

function asSetting([name, value]: UrlParameter): ServerSetting {
  return { name, value, parameter: name }
}

function serverSettingsOf(settings: ConnectionSettings): ServerSetting[] {
  return Object.entries(SERVER_SETTINGS).flatMap(([setting, name]) => {
    const millis = settings[setting as NumericSetting]
    if (millis === undefined) return []
    return [{ name, value: millis === Infinity ? '0' : String(Math.max(1, Math.ceil(millis))), parameter: setting }]
  })
}

function overrideWarnings(urlSettings: readonly UrlSetting[], settings: ConnectionSettings): RewriteWarning[] {
  return urlSettings
    .filter(({ setting, value }) => settings[setting] !== undefined && settings[setting] !== value)
    .map(({ setting, parameter, value }) => ({
      code: 'overridden',
      parameter,
      why: `the URL sets ${setting} to ${value}, but the caller sets it to ${settings[setting]}`,
      instead: `the caller's value is used; set it in one place`,
    }))
}
