import {
  type ActivityRow,
  EXCHANGE_QUERY,
  EXCHANGE_QUERY_WITH_GROUPS,
  type FleetView,
  type IgnoredConnections,
  pooledName,
  publishStatement,
  readServerSessions,
  trustRows,
  viewServer,
} from '../../fleet/index.ts'

/** Runs SQL on the connection of the exchange; see {@link GuardedDriver.queryValue}. */
export type ExchangeQuery = (text: string) => Promise<string | null | undefined>

export interface ServerExchangeOptions {
  /** `app#id`. */
  readonly member: string
  readonly query: ExchangeQuery
  readonly trustedRoles: readonly string[]
  /** Called with the connections that are named like instances but have no trusted role. */
  readonly onIgnored: (connections: readonly IgnoredConnections[]) => void
}

/**
 * Reads a server's sessions and publishes this instance's figures, in one transaction under the fleets' lock: two round trips.
 *
 * @returns whether connections of this instance still had the pooled name, that of the exchange included.
 */
export async function exchangeWithServer(
  { member, query, trustedRoles, onIgnored }: ServerExchangeOptions,
  decide: (view: FleetView) => string,
): Promise<boolean> {
  const text = trustedRoles.length > 0 ? EXCHANGE_QUERY_WITH_GROUPS : EXCHANGE_QUERY
  const answer = readServerSessions(await query(text))
  if (!answer) throw new LimitsUnreadable()
  // This instance's connections from before discovery still have the pooled name; other instances' pooled names do not count.
  const earlierName = pooledName(member)
  const isEarlier = ({ name, ownRole }: ActivityRow) => name === earlierName && ownRole
  const named = answer.rows.map((row) => (isEarlier(row) ? { ...row, name: member } : row))
  const { rows, ignored } = trustRows(named, trustedRoles)
  onIgnored(ignored)
  await query(`${publishStatement(decide(viewServer({ ...answer, rows })))}; commit`)
  return answer.rows.some(isEarlier)
}

/** The role cannot read the limits and sessions. */
export class LimitsUnreadable extends Error {
  static {
    LimitsUnreadable.prototype.name = 'LimitsUnreadable'
  }

  constructor() {
    super(
      'the role cannot read the limits of the database (grant it SELECT on pg_roles, pg_database and pg_stat_activity)',
    )
  }
}
