import { connectionsOfOthers } from '@poolguard/core/postgres'
import { usageOf } from '../sessions/usage-of.ts'
import { appsWithPools } from '../sum/apps-with-pools.ts'
import { type ConnectionLimit, limitOf, limitOfDeployment, limitOfServer } from '../sum/connection-limit.ts'
import { type ConnectionSum, sumConnections } from '../sum/sum-connections.ts'
import { scopedDeployments } from '../sum/sum-scope.ts'
import type { Facts } from './facts.ts'

/** The sum of each deployment of the project, also where the number of instances is assumed. */
export function sumsOf({ project, scope }: Facts): readonly ConnectionSum[] {
  const apps = appsWithPools(project)
  // A pooler of the deployment files is part of its own deployment only.
  const configured = project.pgBouncer?.source.endsWith('.ini') ? project.pgBouncer : undefined
  return scopedDeployments(project, apps, scope)
    .map((deployment) => sumConnections(deployment, apps, configured))
    .filter(({ rows }) => rows.length > 0)
}

/** The limit for a deployment: as given, of the running server, or of the server that the deployment starts. */
export function limitFor(
  { maxConnections, server, capacity, project }: Facts,
  { deployment }: ConnectionSum,
): ConnectionLimit | undefined {
  if (maxConnections !== undefined) return limitOf(maxConnections, '--max-connections')
  if (capacity) return limitOfServer(capacity, undefined)
  if (server) return limitOfServer(server.capacity, connectionsOfOthers(usageOf(server.sessions)))
  const others = project.deployments.deployments.map(limitOfDeployment)
  // With --instances, the project's own server is the one in its files.
  return limitOfDeployment(deployment) ?? others.find((limit) => limit !== undefined)
}
