import type { Case } from './case.ts'
import { DEFAULT_POOL, deployed, poolerInFiles, serverInFiles, variables, workload } from './deployments.ts'
import { pgBouncer, pool, pooled, SERVER } from './facts.ts'

const deployments = (maxConnections = 100) =>
  deployed({ workloads: [workload('api', 6)], servers: [serverInFiles(maxConnections)] })
const pools = [DEFAULT_POOL]
const direct = variables({ DATABASE_URL: 'postgres://app:s3cret@db/app' })
const pooledUrl = variables({ DATABASE_URL: 'postgres://app:s3cret@pgbouncer:6432/app' })

/** Cases of the rules that need no server, but the files of a project. */
export const DEPLOYMENT_CASES: Readonly<Record<string, readonly Case[]>> = {
  'pools-exceed-capacity': [
    {
      given: 'replicas in a compose file with the default of the driver on a small server',
      facts: { project: { deployments: deployments(50), pools } },
      says: "compose.yaml (api x 6): 6 at once x max 10 (the driver's default, src/db.ts:4) = 60, and max_connections is 50 (compose.yaml:12) - 3 reserved = 47",
    },
    {
      given: 'a deploy with a surge',
      facts: {
        project: {
          deployments: deployed({ workloads: [workload('api', 6, { surging: 6 })], servers: [serverInFiles(100)] }),
          pools,
        },
      },
      says: '12 at once during a deploy',
    },
    {
      given: 'instances from the command line, on a real server',
      facts: { server: SERVER, scope: { instances: 8, maxSurge: '25%' }, project: { pools: [pool(20)] } },
      says: '8 instances: 10 at once during a deploy x max 20 (src/db.ts:4) = 200',
    },
    {
      given: 'more instances than connections',
      facts: { server: SERVER, scope: { instances: 98 }, project: { pools } },
      says: 'Even one connection for each pool is too much',
    },
    {
      given: "a URL's connection_limit in the environment of a service with Prisma's engine",
      facts: {
        project: {
          pools: [pool(9, { library: 'prisma', maxFrom: { kind: 'default', reference: '' } })],
          deployments: deployed({
            workloads: [
              workload('api', 6, {
                variables: variables({ DATABASE_URL: 'postgresql://app:s3cret@db/app?connection_limit=30' }),
              }),
            ],
            servers: [serverInFiles(100)],
          }),
        },
      },
      says: 'max 30 (connection_limit of DATABASE_URL, compose.yaml:9)',
    },
    {
      given: 'a variable that a service sets for the size in the code',
      facts: {
        project: {
          pools: [pool(5, { maxFrom: { kind: 'variable', variable: 'DB_POOL_MAX', fallback: 5 } })],
          deployments: deployed({
            workloads: [workload('api', 6, { variables: variables({ DB_POOL_MAX: '40' }) })],
            servers: [serverInFiles(100)],
          }),
        },
      },
      says: 'Set DB_POOL_MAX to 14 in compose.yaml:9 (now 40)',
    },
    {
      given: 'several pools in each process',
      facts: {
        project: {
          pools: [DEFAULT_POOL, pool(10, { library: 'pg-boss', file: 'src/jobs.ts', maxFile: 'src/jobs.ts' })],
          deployments: deployments(),
        },
      },
      says: "6 at once x (pg max 10 (the driver's default, src/db.ts:4) + pg-boss max 10 (src/jobs.ts:4)) = 120",
    },
    {
      given: 'pools that fit',
      facts: { server: SERVER, project: { deployments: deployments(), pools: [pool(14)] } },
    },
    {
      given: 'one connection more than fits',
      facts: {
        project: {
          deployments: deployed({ workloads: [workload('api', 98)], servers: [serverInFiles(100)] }),
          pools: [pool(1)],
        },
      },
      says: 'set deploy.replicas to 97 in compose.yaml:4 (now 98)',
    },
    { given: 'an unknown number of instances', facts: { server: SERVER, project: { pools: [pool(500)] } } },
    { given: 'a transaction pooler', facts: { server: pooled('safe'), scope: { instances: 80 }, project: { pools } } },
    {
      given: 'a pooler in the project and no database address',
      facts: {
        url: null,
        scope: { instances: 80 },
        project: { deployments: deployments(), pools, pgBouncer: pgBouncer({ pool_mode: 'transaction' }) },
      },
    },
    {
      given: 'services that connect to a PgBouncer, whose own pools fit',
      facts: {
        url: null,
        project: {
          pools,
          deployments: deployed({
            workloads: [workload('api', 60, { variables: pooledUrl }), workload('admin', 2, { variables: direct })],
            servers: [serverInFiles(100)],
            poolers: [poolerInFiles('edoburu/pgbouncer:v1.24.1', { DEFAULT_POOL_SIZE: '40' })],
          }),
        },
      },
    },
    {
      given: 'poolguard, which stays within the budget',
      facts: {
        server: SERVER,
        scope: { instances: 80 },
        project: { pools: [pool(10, { guarded: true })], packages: new Map([['@poolguard/pg', '1']]) },
      },
    },
  ],
  'clients-exceed-files': [
    {
      given: 'fewer files than needed',
      facts: {
        project: {
          deployments: deployed({ poolers: [poolerInFiles('pgbouncer', {}, { maxFiles: 1024 })] }),
          pgBouncer: pgBouncer({ max_client_conn: 2000 }),
        },
      },
      says: 'max_client_conn 2000 + 20 servers + 50 of its own = 2070 files (pgbouncer.ini); ulimits.nofile is 1024',
    },
    {
      given: 'enough files',
      facts: {
        project: {
          deployments: deployed({ poolers: [poolerInFiles('pgbouncer', {}, { maxFiles: 4096 })] }),
          pgBouncer: pgBouncer({ max_client_conn: 2000 }),
        },
      },
    },
    {
      given: 'an unknown limit of files',
      facts: { project: { pgBouncer: pgBouncer({ max_client_conn: 20_000 }) } },
    },
  ],
}
