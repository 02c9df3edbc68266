/** Connections of one role that are named like one instance of a fleet. */
export interface Naming {
  /** `app#id`. */
  readonly member: string
  readonly role: string
  /** If several roles use a name, the one with the lowest rank owns it; -1 is not trusted. */
  readonly rank: number
  readonly count: number
}

/** Connections whose names do not count, because their role is not trusted. */
export interface IgnoredConnections {
  readonly role: string
  readonly app: string
  readonly count: number
}

export interface TrustedNames<T> {
  /** The connections whose names count. */
  readonly trusted: ReadonlySet<T>
  readonly ignored: readonly IgnoredConnections[]
}

/**
 * Any role can give its connections any name. So an instance's name counts only on connections of a trusted role; if several
 * trusted roles use one name, it counts for one of them.
 *
 * @param read undefined for a connection that is not named as an instance.
 */
export function trustNames<T>(connections: readonly T[], read: (connection: T) => Naming | undefined): TrustedNames<T> {
  const namings = new Map<T, Naming>()
  const holders = new Map<string, Naming>()
  const ignored = new Map<string, IgnoredConnections>()
  for (const connection of connections) {
    const naming = read(connection)
    if (!naming) continue
    if (naming.rank < 0) {
      count(ignored, naming)
      continue
    }
    namings.set(connection, naming)
    const holder = holders.get(naming.member)
    if (!holder || comesBefore(naming, holder)) holders.set(naming.member, naming)
  }
  const trusted = [...namings].filter(([, { member, role }]) => holders.get(member)?.role === role)
  return { trusted: new Set(trusted.map(([connection]) => connection)), ignored: [...ignored.values()] }
}

function comesBefore(a: Naming, b: Naming): boolean {
  return a.rank === b.rank ? a.role < b.role : a.rank < b.rank
}

function count(ignored: Map<string, IgnoredConnections>, { member, role, count: more }: Naming): void {
  const app = member.slice(0, member.lastIndexOf('#'))
  const key = `${app} ${role}`
  ignored.set(key, { role, app, count: (ignored.get(key)?.count ?? 0) + more })
}
