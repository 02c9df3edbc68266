import type { Capacity } from '../budget/index.ts'
import { isLater, type Publication, parseMemberName } from './member-name.ts'

/** Connections with the same name, as {@link EXCHANGE_QUERY} counts them. */
export interface ActivityRow {
  /** Their `application_name`. */
  readonly name: string
  /** Their role; undefined if it is unknown. */
  readonly role?: string | undefined
  /** Roles that their role is a direct member of, if they matter. */
  readonly groups?: readonly string[]
  /** Whether it is the role of this instance. */
  readonly ownRole: boolean
  /** Whether it is the database of this instance. */
  readonly ownDatabase: boolean
  /** Whether this role may see their `backend_type`; if not, the count may include parallel workers. */
  readonly readable: boolean
  readonly count: number
  /** For a connection that is not open yet: the instance that is about to open it. */
  readonly awaited?: string | undefined
}

/** The data of one exchange with a server. */
export interface ServerSessions {
  readonly capacity: Capacity
  readonly rows: readonly ActivityRow[]
  /** Maximum of parallel workers on the server; undefined if it is unknown. */
  readonly parallelWorkers?: number | undefined
}

/** An instance that has connections open. */
export interface Member {
  /** `app#id`. */
  readonly name: string
  readonly role?: string | undefined
  readonly ownRole: boolean
  readonly ownDatabase: boolean
  readonly open: number
  /** Its last publication; undefined if it has just joined, or has just lost the connection that carried it. */
  readonly publication: Publication | undefined
  /** Connections to count for it: it holds them, or may open them at any moment. */
  readonly claim: number
}

/** A limit on connections, and the instances that it applies to. */
export interface LimitView {
  /** Describes the limit, as in "max_connections leaves 37 usable". */
  readonly label: string
  /** Connections that it allows. */
  readonly usable: number
  /** Sorted by name, so that every instance calculates the same shares. */
  readonly members: readonly Member[]
  /** Connections that belong to no fleet. */
  readonly others: number
  /** Instances that are about to open a connection; these connections are included in `others`. */
  readonly awaited?: readonly string[]
}

/** The limits to share, and the instances that share them. */
export interface FleetView {
  readonly limits: readonly LimitView[]
  /** The maximum of connections that one instance can use at the same time. */
  readonly servedAtOnce: number
}

/** A limit without its instances. */
export interface Limit extends Pick<LimitView, 'label' | 'usable'> {
  /** Whether the limit applies to a connection. */
  readonly appliesTo: (each: Pick<Member, 'ownRole' | 'ownDatabase'>) => boolean
}

/** For a limit on this instance's role. */
export const ofRole: Limit['appliesTo'] = ({ ownRole }) => ownRole
/** For a limit on this instance's database. */
export const inDatabase: Limit['appliesTo'] = ({ ownDatabase }) => ownDatabase

/** Derives the view of a fleet on a server: the instances, and the connections under each limit that belong to none. */
export function viewServer({ capacity, rows, parallelWorkers }: ServerSessions): FleetView {
  const { maxConnections, reserved, roleLimit, databaseLimit } = capacity
  const limits: Limit[] = [
    { label: 'max_connections leaves', usable: Math.max(0, maxConnections - reserved), appliesTo: () => true },
  ]
  if (roleLimit !== null) {
    limits.push({ label: "the role's CONNECTION LIMIT is", usable: roleLimit, appliesTo: ofRole })
  }
  if (databaseLimit !== null) {
    limits.push({ label: "the database's CONNECTION LIMIT is", usable: databaseLimit, appliesTo: inDatabase })
  }
  return { limits: viewLimits(limits, rows, parallelWorkers), servedAtOnce: Infinity }
}

/**
 * Assigns instances and other connections to each limit.
 *
 * @param parallelWorkers maximum of parallel workers on the server.
 */
export function viewLimits(
  limits: readonly Limit[],
  rows: readonly ActivityRow[],
  parallelWorkers: number = Infinity,
): LimitView[] {
  const { members, unmanaged } = sortRows(rows, parallelWorkers)
  return limits.map(({ label, usable, appliesTo }) => {
    const under = unmanaged.filter(appliesTo)
    return {
      label,
      usable,
      members: members.filter(appliesTo),
      others: under.reduce((total, { count }) => total + count, 0),
      awaited: under.flatMap(({ awaited }) => awaited ?? []),
    }
  })
}

interface Gathered {
  role: string | undefined
  ownRole: boolean
  ownDatabase: boolean
  readable: boolean
  open: number
  publication: Publication | undefined
}

function sortRows(
  rows: readonly ActivityRow[],
  parallelWorkers: number,
): { members: Member[]; unmanaged: ActivityRow[] } {
  const gathered = new Map<string, Gathered>()
  const unmanaged: ActivityRow[] = []
  for (const row of rows) {
    const named = parseMemberName(row.name)
    if (!named) {
      unmanaged.push(row)
      continue
    }
    const known = gathered.get(named.member) ?? { ...row, role: row.role, open: 0, publication: undefined }
    known.open += row.count
    // A limit applies to an instance if it applies to one of its connections. A publication on PgBouncer's console is none of them.
    known.ownRole ||= row.count > 0 && row.ownRole
    known.ownDatabase ||= row.count > 0 && row.ownDatabase
    known.readable &&= row.readable
    known.publication = laterOf(known.publication, named.publication)
    gathered.set(named.member, known)
  }
  const members = [...gathered]
    .map(([name, { role, ownRole, ownDatabase, readable, open, publication }]) => {
      const sessions = readable ? open : open - parallelWorkers
      return { name, role, ownRole, ownDatabase, open, publication, claim: claimOf(open, publication, sessions) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return { members, unmanaged }
}

/** If two publications have the same sequence, one is not the instance's own: the one with the larger claim counts. */
function laterOf(a: Publication | undefined, b: Publication | undefined): Publication | undefined {
  if (!a || !b) return a ?? b
  if (a.sequence === b.sequence) return a.target > b.target ? a : b
  return isLater(a, b) ? a : b
}

/**
 * An instance never publishes less than it holds. If it has lost its publication, its open connections count. Parallel workers
 * carry the name of their leader and cannot be distinguished from connections of another role.
 *
 * @param sessions the open connections that are certainly not parallel workers.
 */
function claimOf(open: number, publication: Publication | undefined, sessions: number): number {
  return publication ? Math.max(sessions, publication.target) : open
}
