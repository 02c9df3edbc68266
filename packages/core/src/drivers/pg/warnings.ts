import type { NumericWish } from '../neutral/connection-settings.ts'
import type { Reading } from '../neutral/reading.ts'
import type { ServerSetting } from '../neutral/startup-options.ts'
import type { RewriteWarning } from '../rewriting.ts'

/** pg's options for the parameters that it has a word for, though it does not read them from a URL. */
export interface PgUnread {
  readonly options: { keepAlive?: boolean; keepAliveInitialDelayMillis?: number; enableChannelBinding?: boolean }
  readonly warnings: readonly RewriteWarning[]
}

/** pg's names for wishes. */
const OWN: Partial<Record<NumericWish, string>> = {
  max: 'max',
  min: 'min',
  acquireTimeoutMillis: 'connectionTimeoutMillis',
  connectTimeoutMillis: 'connectionTimeoutMillis',
  idleTimeoutMillis: 'idleTimeoutMillis',
  maxLifetimeMillis: 'maxLifetimeSeconds',
  queryTimeoutMillis: 'query_timeout',
}

/** What pg reads from a URL by itself; see https://node-postgres.com/features/connecting#connection-uri. */
const READ: ReadonlySet<string> = new Set([
  'query_timeout',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'fallback_application_name',
  'replication',
])

const WHY = 'pg does not read it from a URL'

/** Goes through what pg would ignore: what it has an option for is translated, the rest is warned about. */
export function pgUnread(reading: Reading, admitted: readonly ServerSetting[]): PgUnread {
  const { others, written, schema, target, wishes } = reading
  const options: PgUnread['options'] = {}
  const warnings: RewriteWarning[] = []
  const translated = (parameter: string, instead: string): void => {
    warnings.push({ code: 'translated', parameter, why: WHY, instead })
  }
  if (target.hosts.length > 1) {
    warnings.push({
      code: 'one-host-only',
      parameter: 'host',
      why: 'pg takes one host, and the whole list for one name',
      instead: 'the first has been kept; give a name that follows the primary, or use a driver that tries several',
    })
  }
  for (const { wish, parameter } of written) {
    if (!READ.has(parameter)) translated(parameter, `the option ${OWN[wish]} has been set`)
  }
  const { acquireTimeoutMillis: acquire, connectTimeoutMillis: connect } = wishes
  if (acquire !== undefined && connect !== undefined && acquire !== connect) {
    warnings.push({
      code: 'one-timeout',
      parameter: 'connectTimeoutMillis',
      why: 'pg has one timer for waiting and for connecting',
      instead:
        'connectionTimeoutMillis has been set from acquireTimeoutMillis, which is how long a caller waits in all',
    })
  }
  for (const { name, parameter } of admitted) {
    if (parameter === name && !READ.has(name))
      translated(parameter, 'it has been written into options, as -c name=value')
  }
  if (schema !== undefined) {
    translated('schema', 'give it to the adapter of Prisma 7, new PrismaPg(pool, { schema })')
  }
  for (const [name, value] of others) {
    if (READ.has(name)) continue
    if (name === 'keepalives') {
      options.keepAlive = value !== '0'
      translated(name, 'the option keepAlive has been set')
    } else if (name === 'keepalives_idle' && /^\d{1,9}$/.test(value)) {
      options.keepAlive ??= true
      options.keepAliveInitialDelayMillis = Number(value) * 1000
      translated(name, 'the option keepAliveInitialDelayMillis has been set')
    } else if (name === 'channel_binding') {
      options.enableChannelBinding = value !== 'disable'
      translated(name, 'the option enableChannelBinding has been set, which uses it where the server offers it')
    } else {
      warnings.push(ignored(name))
    }
  }
  return { options, warnings }
}

const INERT: Readonly<Record<string, readonly [why: string, instead: string]>> = {
  pgbouncer: [
    "it is a flag of Prisma 5 and 6; pg's statements are unnamed unless the app names them, and so work behind any pooler",
    'leave it out',
  ],
  statement_cache_size: ['pg caches no statements that the app has not named', 'leave it out'],
  target_session_attrs: [
    'pg does not look for a primary or a standby',
    'give a name that follows the primary, or check pg_is_in_recovery() in onConnect',
  ],
  hostaddr: ['pg resolves the host by itself', 'give the address as the host'],
  client_encoding: ['pg speaks UTF-8', 'leave it out'],
}

function ignored(parameter: string): RewriteWarning {
  const [why, instead] = (Object.hasOwn(INERT, parameter) ? INERT[parameter] : undefined) ?? [
    'pg ignores it, and has nothing like it',
    'leave it out',
  ]
  return { code: 'ignored-by-driver', parameter, why, instead }
}
