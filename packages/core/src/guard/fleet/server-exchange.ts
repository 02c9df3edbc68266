import {
  type FleetView,
  type IgnoredConnections,
  LOOK,
  pooledName,
  publishStatement,
  readLook,
  readLookAnswer,
  trustRows,
} from '../../fleet/index.ts'

/** Runs a text on the connection that looks; see {@link GuardedDriver.ask}. */
export type Ask = (text: string) => Promise<string | null | undefined>

export interface ServerLookOptions {
  /** `app#id`. */
  readonly member: string
  readonly ask: Ask
  readonly trustedRoles: readonly string[]
  /** Connections that look like instances, but are not of a trusted role. */
  readonly onIgnored: (connections: readonly IgnoredConnections[]) => void
}

/** Looks at a server, and publishes what that leads to, in one transaction under the fleets' lock: two round trips. */
export async function lookAtServer(
  { member, ask, trustedRoles, onIgnored }: ServerLookOptions,
  decide: (view: FleetView) => string,
): Promise<void> {
  const look = readLookAnswer(await ask(LOOK))
  if (!look) throw new TellsNothing()
  // What it has opened before it knew that this is a server; of others such a name is that of a pooler's connection.
  const before = pooledName(member)
  const named = look.rows.map((row) => (row.name === before && row.ownRole ? { ...row, name: member } : row))
  const { rows, ignored } = trustRows(named, trustedRoles)
  onIgnored(ignored)
  await ask(`${publishStatement(decide(readLook({ ...look, rows })))}; commit`)
}

/** Limits and sessions are not shown to this role. */
export class TellsNothing extends Error {
  static {
    TellsNothing.prototype.name = 'TellsNothing'
  }

  constructor() {
    super('the database did not tell its limits (pg_roles, pg_database and pg_stat_activity must be readable)')
  }
}
