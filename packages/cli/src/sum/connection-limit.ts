import { BudgetError, type Capacity, type OtherConnections, planBudget } from '@poolguard/core/postgres'
import type { Deployment } from '../project/deployments/container.ts'
import type { Place } from '../project/workload.ts'

/** PostgreSQL's default of superuser_reserved_connections. */
const RESERVED = 3

/** How many connections the workloads may open together. */
export interface ConnectionLimit {
  readonly maxConnections: number
  readonly reserved: number
  /** Connections of other applications, and what the role's or the database's own limit takes away. */
  readonly others: number
  /** What remains of `maxConnections`. */
  readonly usable: number
  /** Connections of `usable` that should stay free. */
  readonly headroom: number
  /** `--max-connections`, `the server`, `compose.yaml`. */
  readonly source: string
  /** The line that sets it, or of the server without a setting. */
  readonly place?: Place
  /** No file sets it. */
  readonly isDefault?: boolean
}

/** The limit of a given `max_connections`, less the connections that are reserved for superusers. */
export function limitOf(maxConnections: number, source: string, place?: Place): ConnectionLimit {
  const reserved = Math.min(RESERVED, maxConnections)
  const unlimited = { roleLimit: null, databaseLimit: null, used: 0, usedByRole: 0, usedByDatabase: 0 }
  const limit = limitFrom({ maxConnections, reserved, ...unlimited }, undefined, source)
  return place ? { ...limit, place } : limit
}

/** So many connections and no more, whatever the server allows. */
export function limitToUse(connections: number): ConnectionLimit {
  return { maxConnections: connections, usable: connections, reserved: 0, others: 0, headroom: 0, source: '--cores' }
}

/** The limit of a running server, of a role and of a database, less the connections of other applications. */
export function limitOfServer(capacity: Capacity, others: OtherConnections | undefined): ConnectionLimit {
  return limitFrom(capacity, others, 'the server')
}

function limitFrom(capacity: Capacity, others: OtherConnections | undefined, source: string): ConnectionLimit {
  const { maxConnections, reserved } = capacity
  const { usable, headroom } = supplyFor(capacity, others)
  return { maxConnections, reserved, source, usable, headroom, others: Math.max(0, maxConnections - reserved - usable) }
}

/** What one instance with one pool could have, with the headroom that the plan leaves free. */
function supplyFor(capacity: Capacity, others: OtherConnections | undefined): { usable: number; headroom: number } {
  try {
    const { maxPerPool, headroom } = planBudget({ capacity, others, instances: 1 })
    return { usable: maxPerPool + headroom, headroom }
  } catch (error) {
    if (error instanceof BudgetError) return { usable: 0, headroom: 0 }
    throw error
  }
}

/** The limit of the server that a deployment starts. */
export function limitOfDeployment({ servers }: Deployment): ConnectionLimit | undefined {
  const [server] = servers
  if (!server) return undefined
  const { value, place, isAssumed: isDefault } = server.maxConnections
  return { ...limitOf(value, server.place.file, place ?? server.place), ...(isDefault && { isDefault }) }
}
