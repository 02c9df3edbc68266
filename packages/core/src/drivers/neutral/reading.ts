import type { ConnectionString, Parameter } from '../../connection-string/index.ts'
import { ConnectionStringError, settleTarget } from '../../connection-string/index.ts'
import { definedOnly } from '../../defined-only.ts'
import type { RewriteWarning } from '../rewriting.ts'
import { type ConnectionWishes, type NumericWish, SERVER_WISHES, validateWishes } from './connection-settings.ts'
import { isServerSetting } from './server-settings.ts'
import { parseStartupOptions, type ServerSetting } from './startup-options.ts'
import { readTlsIntent, TLS_PARAMETERS, type TlsIntent } from './tls-intent.ts'
import { type WrittenWish, writtenWishes } from './url-settings.ts'

/** All that a connection string and the caller's wishes say, in no driver's words: read once, written for each driver. */
export interface Reading {
  /** Hosts, user, password and database, without parameters. */
  readonly target: ConnectionString
  /** The caller's wishes over those of the URL. */
  readonly wishes: ConnectionWishes
  /** The wishes that came from the URL, under which names. */
  readonly written: readonly WrittenWish[]
  readonly settings: readonly ServerSetting[]
  /** What `options` holds besides settings. */
  readonly routing: readonly string[]
  readonly schema: string | undefined
  readonly tls: TlsIntent
  /** The parameters that are in none of the above, one of each name. */
  readonly others: ReadonlyMap<string, string>
  readonly warnings: readonly RewriteWarning[]
}

/**
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the wish that cannot be meant.
 */
export function readConnection(connection: ConnectionString, wishes: ConnectionWishes): Reading {
  validateWishes(wishes)
  const settled = withAddress(settleTarget(connection))
  const written = writtenWishes(settled)
  const options = parseStartupOptions(settled.parameter('options') ?? '')
  const plain = settled.parameters.filter(([name]) => isServerSetting(name))
  const taken = new Set([
    ...written.map(({ parameter }) => parameter),
    ...plain.map(([name]) => name),
    ...TLS_PARAMETERS,
    'options',
    'schema',
    'application_name',
  ])
  return {
    target: settled.with({ parameters: [] }),
    wishes: { ...fromUrl(settled, written), ...definedOnly(wishes) },
    written,
    settings: [...options.settings, ...plain.map(asSetting), ...wishedSettings(wishes)],
    routing: options.rest,
    schema: settled.parameter('schema') || undefined,
    tls: readTlsIntent(settled),
    others: new Map(settled.parameters.filter(([name]) => !taken.has(name))),
    warnings: overridden(written, wishes),
  }
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

function fromUrl(connection: ConnectionString, written: readonly WrittenWish[]): ConnectionWishes {
  const applicationName = connection.parameter('application_name') || undefined
  return {
    ...Object.fromEntries(written.map(({ wish, value }) => [wish, value])),
    ...(applicationName !== undefined && { applicationName }),
  }
}

function asSetting([name, value]: Parameter): ServerSetting {
  return { name, value, parameter: name }
}

function wishedSettings(wishes: ConnectionWishes): ServerSetting[] {
  return Object.entries(SERVER_WISHES).flatMap(([wish, name]) => {
    const millis = wishes[wish as NumericWish]
    if (millis === undefined) return []
    return [{ name, value: millis === Infinity ? '0' : String(Math.max(1, Math.ceil(millis))), parameter: wish }]
  })
}

function overridden(written: readonly WrittenWish[], wishes: ConnectionWishes): RewriteWarning[] {
  return written
    .filter(({ wish, value }) => wishes[wish] !== undefined && wishes[wish] !== value)
    .map(({ wish, parameter, value }) => ({
      code: 'overridden',
      parameter,
      why: `the URL wishes ${wish}: ${value}, the caller ${wishes[wish]}`,
      instead: `the caller's value is taken; write it in one place`,
    }))
}
