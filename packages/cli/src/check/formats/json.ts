import { connectionsOf } from '../../sum/pool-use.ts'
import type { CheckedSum, CheckReport } from '../check-report.ts'

/** For programs: numbers and places, see docs/json.md. */
export function checkJson({ sums, findings, read, ignored, exitCode, verdict }: CheckReport): unknown {
  return {
    fits: exitCode === 0,
    deployments: sums.map(deploymentJson),
    findings,
    read,
    ignored,
    ...(exitCode === 2 && { error: { code: 'CANNOT_RUN', message: verdict } }),
  }
}

function deploymentJson({ sum, limit }: CheckedSum): unknown {
  return {
    name: sum.deployment.name,
    connections: sum.total,
    ...(limit && { maxConnections: limit.maxConnections, usable: limit.usable }),
    workloads: sum.rows.map(({ workload, processes, pools, connections, through }) => ({
      name: workload.name,
      kind: workload.kind,
      place: workload.place,
      instances: workload.instances.most.value,
      surge: workload.surge.value,
      processesPerInstance: workload.processes.value,
      processes,
      pools: pools.map((pool) => ({
        library: pool.library,
        max: pool.max,
        connections: connectionsOf(pool),
        place: pool.place,
      })),
      connections,
      ...(through !== undefined && { through }),
    })),
    poolers: sum.poolers.map(({ name, processes, clients, connections }) => ({
      name,
      processes,
      clients,
      connections,
    })),
    assumed: sum.assumed,
  }
}
