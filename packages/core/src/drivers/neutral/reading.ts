import type { ConnectionString, Parameter } from '../../connection-string/index.ts'
import {
  ConnectionStringError,
  isKnownParameter,
  isTailOfSecret,
  normalizeTarget,
} from '../../connection-string/index.ts'
import { mayHoldSecret } from '../../may-hold-secret.ts'
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

/** Everything that a connection string and the caller's settings say, independent of any driver. It is read once per pool. */
export interface Reading {
  /** Hosts, user, password and database, without parameters. */
  readonly target: ConnectionString
  /** The caller's settings, and those of the URL that the caller does not set. */
  readonly settings: ConnectionSettings
  /** The settings in the URL. */
  readonly urlSettings: readonly UrlSetting[]
  /** Settings for the server: from `options`, from parameters of their own, from the caller. */
  readonly serverSettings: readonly ServerSetting[]
  /** What `options` holds besides settings. */
  readonly routing: readonly string[]
  readonly schema: string | undefined
  readonly tls: TlsIntent
  /** The parameters that are in none of the above, one of each name. */
  readonly others: ReadonlyMap<string, string>
  /** Settings in the URL that the caller has set to another value. */
  readonly overridden: readonly RewriteWarning[]
}

/**
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the setting that is invalid.
 */
export function readConnection(connection: ConnectionString, settings: ConnectionSettings = {}): Reading {
  validateConnectionSettings(settings)
  const settled = withAddress(normalizeTarget(connection))
  const urlSettings = readUrlSettings(settled)
  const options = parseStartupOptions(settled.parameter('options') ?? '')
  const plain = settled.parameters.filter(([name]) => isServerSetting(name))
  const taken = new Set([
    ...urlSettings.map(({ parameter }) => parameter),
    ...plain.map(([name]) => name),
    ...TLS_PARAMETERS,
    'options',
    'schema',
    'application_name',
  ])
  return {
    target: settled.with({ parameters: [] }),
    settings: { ...settingsInUrl(settled, urlSettings), ...omitUndefined(settings) },
    urlSettings,
    serverSettings: [...options.settings, ...plain.map(asSetting), ...serverSettingsOf(settings)],
    routing: options.rest,
    schema: settled.parameter('schema') || undefined,
    tls: readTlsIntent(settled),
    others: new Map(settled.parameters.flatMap((parameter, index) => otherParameter(settled, parameter, index, taken))),
    overridden: overridden(urlSettings, settings),
  }
}

/** An unknown name that may be a piece of a password is not to stand in a warning. */
function otherParameter(
  { parameters }: ConnectionString,
  [name, value]: Parameter,
  index: number,
  taken: ReadonlySet<string>,
): Parameter[] {
  if (taken.has(name)) return []
  return [
    [isTailOfSecret(parameters, index) || (!isKnownParameter(name) && mayHoldSecret(name)) ? HIDDEN : name, value],
  ]
}

/** The value of a parameter that is true or false. */
export function readFlag({ others }: Reading, name: string): boolean | undefined {
  const text = others.get(name)
  if (text === undefined) return undefined
  if (text === 'true' || text === '1' || text === '') return true
  if (text === 'false' || text === '0' || text === 'disable') return false
  throw new ConnectionStringError('parameters', `${name} is neither true nor false`)
}

/** libpq's `hostaddr` is the host where none is named. */
function withAddress(connection: ConnectionString): ConnectionString {
  const address = connection.parameter('hostaddr')
  return connection.hosts.length > 0 || !address ? connection : connection.with({ hosts: [{ host: address }] })
}

function settingsInUrl(connection: ConnectionString, urlSettings: readonly UrlSetting[]): ConnectionSettings {
  const applicationName = connection.parameter('application_name') || undefined
  return {
    ...Object.fromEntries(urlSettings.map(({ setting, value }) => [setting, value])),
    ...(applicationName !== undefined && { applicationName }),
  }
}

function asSetting([name, value]: Parameter): ServerSetting {
  return { name, value, parameter: name }
}

function serverSettingsOf(settings: ConnectionSettings): ServerSetting[] {
  return Object.entries(SERVER_SETTINGS).flatMap(([setting, name]) => {
    const millis = settings[setting as NumericSetting]
    if (millis === undefined) return []
    return [{ name, value: millis === Infinity ? '0' : String(Math.max(1, Math.ceil(millis))), parameter: setting }]
  })
}

function overridden(urlSettings: readonly UrlSetting[], settings: ConnectionSettings): RewriteWarning[] {
  return urlSettings
    .filter(({ setting, value }) => settings[setting] !== undefined && settings[setting] !== value)
    .map(({ setting, parameter, value }) => ({
      code: 'overridden',
      parameter,
      why: `the URL sets ${setting} to ${value}, the caller to ${settings[setting]}`,
      instead: `the caller's value is used; set it in one place`,
    }))
}
