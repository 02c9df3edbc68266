import type { Capacity } from '../budget/index.ts'
import { isLater, type Publication, parseMemberName } from './member-name.ts'

/** Some connections of one name, as {@link LOOK} counts them. */
export interface ActivityRow {
  /** Their `application_name`. */
  readonly name: string
  /** Whose they are; undefined where that is not known. */
  readonly role?: string | undefined
  /** Of the role that looks. */
  readonly ownRole: boolean
  /** In the database that looks. */
  readonly ownDatabase: boolean
  /** Whether the role may see what they are: if not, parallel workers count with them. */
  readonly readable: boolean
  readonly count: number
  /** The member that is about to open this connection: it is not there yet. */
  readonly awaited?: string | undefined
}

/** What one look at the database tells. */
export interface FleetLook {
  readonly capacity: Capacity
  readonly rows: readonly ActivityRow[]
  /** Most parallel workers that the server runs at once; undefined where that is not known. */
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
  /** What it has told last; undefined for one that has just come, or has just lost the connection that told it. */
  readonly publication: Publication | undefined
  /** What is to be reckoned with: it has so many connections, or may open them at any moment. */
  readonly claim: number
}

/** One limit on connections, and who is under it. */
export interface LimitView {
  /** What it is, as in "max_connections leaves 37 usable". */
  readonly label: string
  /** Connections that it allows. */
  readonly usable: number
  /** In the order of their names, so that every instance shares out alike. */
  readonly members: readonly Member[]
  /** Connections of nobody's fleet. */
  readonly others: number
  /** Members whose connections are expected, and count among the others. */
  readonly awaited?: readonly string[]
}

/** What there is to share, and among whom. */
export interface FleetView {
  readonly limits: readonly LimitView[]
  /** No instance can have more than so many served at once. */
  readonly servedAtOnce: number
}

/** A limit before anybody is counted. */
export interface Limit extends Pick<LimitView, 'label' | 'usable'> {
  /** Whether somebody is under it. */
  readonly holds: (each: Pick<Member, 'ownRole' | 'ownDatabase'>) => boolean
}

/** Of a limit on the role that looks. */
export const ofRole: Limit['holds'] = ({ ownRole }) => ownRole
/** Of one on the database that looks. */
export const inDatabase: Limit['holds'] = ({ ownDatabase }) => ownDatabase

/** Sorts what was seen of a server: who is a member, and how much of each limit is taken by others. */
export function readLook({ capacity, rows, parallelWorkers }: FleetLook): FleetView {
  const { maxConnections, reserved, roleLimit, databaseLimit } = capacity
  const limits: Limit[] = [
    { label: 'max_connections leaves', usable: Math.max(0, maxConnections - reserved), holds: () => true },
  ]
  if (roleLimit !== null) {
    limits.push({ label: "the role's CONNECTION LIMIT is", usable: roleLimit, holds: ofRole })
  }
  if (databaseLimit !== null) {
    limits.push({ label: "the database's CONNECTION LIMIT is", usable: databaseLimit, holds: inDatabase })
  }
  return { limits: viewLimits(limits, rows, parallelWorkers), servedAtOnce: Infinity }
}

/**
 * Who is under each limit.
 *
 * @param parallelWorkers most that the server runs at once.
 */
export function viewLimits(
  limits: readonly Limit[],
  rows: readonly ActivityRow[],
  parallelWorkers: number = Infinity,
): LimitView[] {
  const { members, strangers } = sortRows(rows, parallelWorkers)
  return limits.map(({ label, usable, holds }) => {
    const under = strangers.filter(holds)
    return {
      label,
      usable,
      members: members.filter(holds),
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
): { members: Member[]; strangers: ActivityRow[] } {
  const gathered = new Map<string, Gathered>()
  const strangers: ActivityRow[] = []
  for (const row of rows) {
    const named = parseMemberName(row.name)
    if (!named) {
      strangers.push(row)
      continue
    }
    const known = gathered.get(named.member) ?? { ...row, role: row.role, open: 0, publication: undefined }
    known.open += row.count
    // A member is under a limit that holds for one of its connections. A publication through a pooler's console has none.
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
  return { members, strangers }
}

/** Of two with one number, one is not the member's: then the one that claims more counts. */
function laterOf(a: Publication | undefined, b: Publication | undefined): Publication | undefined {
  if (!a || !b) return a ?? b
  if (a.sequence === b.sequence) return a.target > b.target ? a : b
  return isLater(a, b) ? a : b
}

/**
 * An instance publishes no less than it has. What is seen of one that has lost its publication counts all the same. Parallel
 * workers, which carry their leader's name, cannot be told from connections of another role.
 *
 * @param sessions of those that are open, the ones that are connections for certain.
 */
function claimOf(open: number, publication: Publication | undefined, sessions: number): number {
  return publication ? Math.max(sessions, publication.target) : open
}
