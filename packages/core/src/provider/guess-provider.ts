import type { ConnectionString, HostAddress } from '../connection-string/index.ts'
import { normalizeTarget } from '../connection-string/index.ts'
import { type AssumedEndpoint, type DirectUrl, PROVIDER_RULES, type ProviderRule } from './provider-rules.ts'

/**
 * What the host and port of a connection string suggest, before anything has been measured. A guess by rule: names and
 * ports can be changed, so that only a probe may decide what is safe.
 */
export interface ProviderAssumption {
  /** Says what it is worth: an assumption, never evidence. */
  readonly certainty: 'first-assumption'
  readonly provider: string
  readonly endpoint: AssumedEndpoint
  /** The provider's page with the rule. */
  readonly source: string
  readonly note?: string
  /** A client that names a statement gets a server connection of its own, as long as it lives. */
  readonly pinsNamedStatements?: true
}

/**
 * Guesses the provider, and whether its pooler or the database itself answers, from the first host and its port (5432
 * where none is named). Undefined where no rule fits, which says nothing.
 *
 * @throws {ConnectionStringError} if a `port` parameter is none.
 * @example
 * guessProvider(parseConnectionString('postgresql://ep-cool-1-pooler.eu-central-1.aws.neon.tech/x'))?.endpoint
 * // 'transaction-pooler'
 */
export function guessProvider(connection: ConnectionString): ProviderAssumption | undefined {
  const found = findRule(normalizeTarget(connection))
  if (!found) return undefined
  const { rule, endpoint } = found
  return {
    certainty: 'first-assumption',
    provider: rule.provider,
    endpoint,
    source: rule.source,
    ...(rule.note !== undefined && { note: rule.note }),
    ...(rule.pinsNamedStatements && { pinsNamedStatements: true }),
  }
}

/**
 * The direct URL beside a pooled one, for migrations, LISTEN and whatever else needs a session; without `pgbouncer`.
 * Undefined where the URL is not a known provider's pooled one, or the provider has no rule.
 *
 * @throws {ConnectionStringError} if a `port` parameter is none.
 * @example
 * directUrlFor(parseConnectionString('postgresql://ep-cool-1-pooler.eu-central-1.aws.neon.tech/x'))?.url.href
 * // 'postgresql://ep-cool-1.eu-central-1.aws.neon.tech/x'
 */
export function directUrlFor(connection: ConnectionString): DirectUrl | undefined {
  const settled = normalizeTarget(connection)
  const found = findRule(settled)
  if (!found || found.endpoint === 'direct') return undefined
  return found.rule.directUrl?.(settled, found.address)
}

function findRule(
  connection: ConnectionString,
): { rule: ProviderRule; endpoint: AssumedEndpoint; address: Required<HostAddress> } | undefined {
  const first = connection.hosts[0]
  if (!first) return undefined
  const address = { host: first.host.toLowerCase().replace(/\.$/, ''), port: first.port ?? 5432 }
  for (const rule of PROVIDER_RULES) {
    const endpoint = rule.endpointAt(address)
    if (endpoint) return { rule, endpoint, address }
  }
  return undefined
}
