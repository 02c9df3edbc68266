import { readFleetName, type UsageRow } from '@poolguard/core/postgres'

export interface ApplicationCount {
  readonly application: string
  readonly role: string
  readonly connections: number
  /** Of a fleet: how many processes they are of, where their names tell. */
  readonly instances?: number
}

/** One count for each application and role, the largest first. The instances of a fleet, each with a name of its own, are one. */
export function countByApplication(rows: readonly UsageRow[]): readonly ApplicationCount[] {
  const counts = new Map<string, ApplicationCount>()
  const members = new Map<string, Set<string>>()
  for (const { application: name, role, connections } of rows) {
    const fleet = readFleetName(name)
    const application = fleet?.app ?? name
    const key = JSON.stringify([application, role])
    const seen = members.get(key) ?? new Set()
    if (fleet?.member !== undefined) members.set(key, seen.add(fleet.member))
    counts.set(key, {
      application,
      role,
      connections: connections + (counts.get(key)?.connections ?? 0),
      ...(seen.size > 0 && { instances: seen.size }),
    })
  }
  return [...counts.values()].sort((a, b) => b.connections - a.connections)
}
