import { readFleetName, type UsageRow } from '@poolguard/core/postgres'

export interface ApplicationCount {
  readonly application: string
  readonly role: string
  readonly connections: number
  /** Fleets only: the number of processes, if their names contain it. */
  readonly instances?: number
}

/** One count for each application and role, the largest first. The instances of a fleet count as one application. */
export function countByApplication(rows: readonly UsageRow[]): readonly ApplicationCount[] {
  const counts = new Map<string, ApplicationCount>()
  const instancesOf = new Map<string, Set<string>>()
  for (const { application: name, role, connections } of rows) {
    const fleet = readFleetName(name)
    const application = fleet?.app ?? name
    const key = JSON.stringify([application, role])
    const seen = instancesOf.get(key) ?? new Set()
    if (fleet?.instance !== undefined) instancesOf.set(key, seen.add(fleet.instance))
    counts.set(key, {
      application,
      role,
      connections: connections + (counts.get(key)?.connections ?? 0),
      ...(seen.size > 0 && { instances: seen.size }),
    })
  }
  return [...counts.values()].sort((a, b) => b.connections - a.connections)
}
