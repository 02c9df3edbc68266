import type { Capacity } from '../budget/index.ts'
import { isLater, type Publication, parseMemberName } from './member-name.ts'

/** Some connections of one name, as {@link LOOK} counts them. */
export interface ActivityRow {
  /** Their `application_name`. */
  readonly name: string
  /** Of the role that looks. */
  readonly ownRole: boolean
  /** In the database that looks. */
  readonly ownDatabase: boolean
  /** Whether the role may see what they are: if not, parallel workers count with them. */
  readonly readable: boolean
  readonly count: number
}

/** What one look at the database tells. */
export interface FleetLook {
  readonly capacity: Capacity
  readonly rows: readonly ActivityRow[]
}

/** An instance that has connections open. */
export interface Member {
  /** `app#id`. */
  readonly name: string
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
export function readLook({ capacity, rows }: FleetLook): FleetView {
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
  return { limits: viewLimits(limits, rows), servedAtOnce: Infinity }
}

/** Who is under each limit. */
export function viewLimits(limits: readonly Limit[], rows: readonly ActivityRow[]): LimitView[] {
  const { members, strangers } = sortRows(rows)
  return limits.map(({ label, usable, holds }) => ({
    label,
    usable,
    members: members.filter(holds),
    others: strangers.filter(holds).reduce((total, { count }) => total + count, 0),
  }))
}

interface Gathered {
  ownRole: boolean
  ownDatabase: boolean
  readable: boolean
  open: number
  publication: Publication | undefined
}

function sortRows(rows: readonly ActivityRow[]): { members: Member[]; strangers: ActivityRow[] } {
  const gathered = new Map<string, Gathered>()
  const strangers: ActivityRow[] = []
  for (const row of rows) {
    const named = parseMemberName(row.name)
    if (!named) {
      strangers.push(row)
      continue
    }
    const known = gathered.get(named.member) ?? { ...row, open: 0, publication: undefined }
    known.open += row.count
    known.publication = laterOf(known.publication, named.publication)
    gathered.set(named.member, known)
  }
  const members = [...gathered]
    .map(([name, { ownRole, ownDatabase, readable, open, publication }]) => {
      return { name, ownRole, ownDatabase, open, publication, claim: claimOf(open, publication, readable) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return { members, strangers }
}

function laterOf(a: Publication | undefined, b: Publication | undefined): Publication | undefined {
  return a && (!b || isLater(a, b)) ? a : b
}

/**
 * An instance publishes no less than it has. What is seen of one that has lost its publication counts all the same, but not
 * where parallel workers, which carry their leader's name, cannot be told from connections.
 */
function claimOf(open: number, publication: Publication | undefined, readable: boolean): number {
  if (!publication) return open
  return readable ? Math.max(open, publication.target) : publication.target
}
