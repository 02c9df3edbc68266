import { type ConnectionString, type HostAddress, normalizeTarget } from '../connection-string/index.ts'
import { type AssumedEndpoint, type DirectUrl, PROVIDER_RULES, type ProviderRule } from './provider-rules.ts'

/**
 * The provider that the host and port of a connection string suggest, before the endpoint is probed. This is a guess: names and
 * ports can be changed, so that only a probe can decide which features are safe.
 */
export interface ProviderAssumption {
  /** Always an assumption, never evidence. */
  readonly certainty: 'first-assumption'
  readonly provider: string
  readonly endpoint: AssumedEndpoint
  /** The provider's page with the rule. */
  readonly source: string
  readonly note?: string
  /** The pooler pins a client that uses named statements to one server connection until it disconnects. */
  readonly pinsNamedStatements?: true
}

/**
 * Guesses the provider, and whether the endpoint is its pooler or the database, from the first host and its port (default
 * 5432). Undefined if no rule matches, which proves nothing.
 *
 * @throws {ConnectionStringError} if a `port` parameter is invalid.
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
 * Derives the direct URL from a pooled one, for migrations, LISTEN and everything else that needs a session. The parameter
 * `pgbouncer` is removed. Undefined if the URL is not the pooled URL of a known provider, or if the provider has no rule.
 *
 * @throws {ConnectionStringError} if a `port` parameter is invalid.
 * @example
 * directUrlFor(parseConnectionString('postgresql://ep-cool-1-pooler.eu-central-1.aws.neon.tech/x'))?.url.href
 * // 'postgresql://ep-cool-1.eu-central-1.aws.neon.tech/x'
 */
export function directUrlFor(connection: ConnectionString): DirectUrl | undefined {
  const target = normalizeTarget(connection)
  const found = findRule(target)
  if (!found || found.endpoint === 'direct') return undefined
  return found.rule.directUrl?.(target, found.address)
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
