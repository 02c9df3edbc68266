import {
  type Deployment,
  type DeploymentFacts,
  fixed,
  type PoolerInFiles,
  parseImage,
  setTo,
} from '../../project/deployments/container.ts'
import type { PoolInSource } from '../../project/pool-in-source.ts'
import type { Workload } from '../../project/workload.ts'
import { pool } from './facts.ts'

const FILE = 'compose.yaml'

/** A service in `compose.yaml`, in line 2. */
export function workload(
  name: string,
  instances: number,
  rest: Partial<Workload> & { surging?: number } = {},
): Workload {
  const { surging = 0, ...others } = rest
  const amount = setTo(instances, 'deploy.replicas', { file: FILE, line: 4 })
  return {
    ...{ name, kind: 'service', place: { file: FILE, line: 2 }, instances: { usual: amount, most: amount } },
    ...{ surge: fixed(surging, 'order: start-first', { file: FILE, line: 6 }), processes: fixed(1, 'one process') },
    ...{ variables: new Map(), unknownVariables: new Set(), app: undefined, command: undefined, isKnownClient: true },
    ...others,
  }
}

/** A variable of a workload, in line 9. */
export function variables(values: Readonly<Record<string, string>>): Workload['variables'] {
  return new Map(Object.entries(values).map(([name, value]) => [name, { value, place: { file: FILE, line: 9 } }]))
}

/** A PgBouncer in `compose.yaml`. */
export function poolerInFiles(
  image: string,
  values: Readonly<Record<string, string>> = {},
  rest: Partial<PoolerInFiles> = {},
): PoolerInFiles {
  const place = { file: FILE, line: 20 }
  return {
    name: 'pgbouncer',
    place,
    image: parseImage(image, place),
    processes: 1,
    variables: variables(values),
    maxFiles: undefined,
    ...rest,
  }
}

/** A PostgreSQL in `compose.yaml`. */
export function serverInFiles(
  maxConnections: number,
  rest: Partial<Deployment['servers'][number]> = {},
): Deployment['servers'][number] {
  const place = { file: FILE, line: 12 }
  return {
    name: 'db',
    place,
    image: parseImage('postgres:18', place),
    maxConnections: fixed(maxConnections, 'max_connections', place),
    variables: new Map(),
    words: [],
    ...rest,
  }
}

/** One deployment, in `compose.yaml`. */
export function deployed(deployment: Partial<Deployment>): DeploymentFacts {
  const each = { name: FILE, workloads: [], servers: [], poolers: [], commands: [], assumed: [], ...deployment }
  return { deployments: [each], builds: [], read: [FILE], ignored: [] }
}

/** A pool of the driver's default size. */
export const DEFAULT_POOL: PoolInSource = pool(10, {
  maxFrom: { kind: 'default', reference: 'https://node-postgres.com/apis/pool' },
})

/** The command of a container in `compose.yaml`. */
export function command(name: string, line: string): Deployment['commands'][number] {
  const place = { file: FILE, line: 14 }
  return { name, place, words: line.split(' ').map((text) => ({ text, place })) }
}
