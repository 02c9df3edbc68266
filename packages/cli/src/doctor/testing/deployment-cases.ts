import type { Case } from './case.ts'
import { command, DEFAULT_POOL, deployed, poolerInFiles, serverInFiles, variables, workload } from './deployments.ts'
import { pgBouncer, pool, pooled, poolerConsole, SERVER, statement } from './facts.ts'

const deployments = (maxConnections = 100) =>
  deployed({ workloads: [workload('api', 6)], servers: [serverInFiles(maxConnections)] })
const pools = [DEFAULT_POOL]
const direct = variables({ DATABASE_URL: 'postgres://app:s3cret@db/app' })
const pooledUrl = variables({ DATABASE_URL: 'postgres://app:s3cret@pgbouncer:6432/app' })

/** Cases of the rules that need no server, but the files of a project. */
export const DEPLOYMENT_CASES: Readonly<Record<string, readonly Case[]>> = {
  'pools-exceed-cores': [
    {
      given: 'six pools of ten on a server with four cores',
      facts: { cores: 4, project: { deployments: deployments(), pools } },
      says: '= 60, and a server with 4 cores keeps about 2 x 4 + 1 = 9 busy.',
    },
    {
      given: 'more pools than connections that help',
      facts: { cores: 2, server: SERVER, scope: { instances: 30 }, project: { pools } },
      says: 'Let PgBouncer in transaction mode divide 5 connections',
    },
    {
      given: 'a line to change',
      facts: { cores: 4, project: { deployments: deployments(), pools } },
      says: 'Set max of pg to 1 in src/db.ts:4 (now 10)',
    },
    { given: 'enough cores', facts: { cores: 8, project: { deployments: deployments(), pools } } },
    { given: 'no number of cores', facts: { project: { deployments: deployments(), pools } } },
    { given: 'no number of instances', facts: { cores: 1, server: SERVER, project: { pools: [pool(90)] } } },
  ],
  'pools-exceed-capacity': [
    {
      given: 'replicas in a compose file with the default of the driver on a small server',
      facts: { project: { deployments: deployments(50), pools } },
      says: 'compose.yaml (api x 6): 6 at once x max 10 (the default, src/db.ts:4) = 60, and max_connections is 50 (compose.yaml:12) - 3 reserved = 47',
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
      says: '6 at once x (pg max 10 (the default, src/db.ts:4) + pg-boss max 10 (src/jobs.ts:4)) = 120',
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
  'clients-exceed-pooler': [
    {
      given: 'more clients than max_client_conn',
      facts: {
        project: {
          pools: [pool(5)],
          deployments: deployed({
            workloads: [workload('api', 60, { variables: pooledUrl })],
            poolers: [poolerInFiles('edoburu/pgbouncer:v1.24.1', { MAX_CLIENT_CONN: '200' })],
          }),
        },
      },
      says: 'api: 60 processes, 300 connections; together 300 clients of pgbouncer, and max_client_conn is 200 (compose.yaml:9)',
    },
    {
      given: "PgBouncer's default of max_client_conn",
      facts: {
        project: {
          pools,
          deployments: deployed({
            workloads: [workload('api', 11, { variables: pooledUrl })],
            poolers: [poolerInFiles('edoburu/pgbouncer')],
          }),
        },
      },
      says: 'max_client_conn is 100',
    },
    {
      given: 'as many clients as PgBouncer accepts',
      facts: {
        project: {
          pools: [pool(5)],
          deployments: deployed({
            workloads: [workload('api', 60, { variables: pooledUrl })],
            poolers: [poolerInFiles('edoburu/pgbouncer:v1.24.1', { MAX_CLIENT_CONN: '300' })],
          }),
        },
      },
    },
    {
      given: 'instances from the command line, and a running pooler',
      facts: {
        server: pooled('safe'),
        pooler: poolerConsole({ max_client_conn: 100 }, ['app']),
        scope: { instances: 20 },
        project: { pools },
      },
      says: 'together 200 clients of PgBouncer 1.24.1, SHOW CONFIG',
    },
    {
      given: 'services that connect to the server',
      facts: {
        project: {
          pools,
          deployments: deployed({
            workloads: [workload('api', 50, { variables: direct })],
            poolers: [poolerInFiles('edoburu/pgbouncer')],
          }),
        },
      },
    },
  ],
  'comments-in-command': [
    {
      given: 'a comment in a folded block',
      facts: {
        project: {
          deployments: deployed({
            commands: [command('db', 'postgres -c max_connections=200 # more connections -c shared_buffers=256MB')],
          }),
        },
      },
      says: 'The command of db contains `# more connections -c`',
    },
    {
      given: 'a shell, which reads the comment itself',
      facts: { project: { deployments: deployed({ commands: [command('db', 'sh -c postgres # comment')] }) } },
    },
    {
      given: 'a # inside of a word',
      facts: { project: { deployments: deployed({ commands: [command('api', 'node server.js --color=#fff')] }) } },
    },
  ],
  'pooler-variables-ignored': [
    {
      given: "edoburu's names for bitnami's image",
      facts: {
        project: {
          deployments: deployed({ poolers: [poolerInFiles('bitnami/pgbouncer:1.24.1', { POOL_MODE: 'transaction' })] }),
        },
      },
      says: 'This image reads PGBOUNCER_POOL_MODE; it ignores POOL_MODE',
    },
    {
      given: "bitnami's names for edoburu's image",
      facts: {
        project: {
          deployments: deployed({
            poolers: [poolerInFiles('edoburu/pgbouncer', { PGBOUNCER_MAX_CLIENT_CONN: '1000' })],
          }),
        },
      },
      says: 'Rename PGBOUNCER_MAX_CLIENT_CONN to MAX_CLIENT_CONN',
    },
    {
      given: "the images' own names, and variables that are no settings",
      facts: {
        project: {
          deployments: deployed({
            poolers: [
              poolerInFiles('bitnami/pgbouncer', { PGBOUNCER_POOL_MODE: 'transaction', POSTGRESQL_HOST: 'db' }),
              poolerInFiles('edoburu/pgbouncer', { POOL_MODE: 'transaction', DB_HOST: 'db' }),
              poolerInFiles('example/pgbouncer', { POOL_MODE: 'transaction', PGBOUNCER_POOL_MODE: 'transaction' }),
            ],
          }),
        },
      },
    },
  ],
  'server-variables-ignored': [
    {
      given: 'POSTGRES_MAX_CONNECTIONS',
      facts: {
        project: {
          deployments: deployed({
            servers: [serverInFiles(100, { variables: variables({ POSTGRES_MAX_CONNECTIONS: '200' }) })],
          }),
        },
      },
      says: 'command: postgres -c max_connections=200',
    },
    {
      given: 'a command that passes the variable on',
      facts: {
        project: {
          deployments: deployed({
            servers: [
              serverInFiles(200, {
                variables: variables({ POSTGRES_MAX_CONNECTIONS: '200' }),
                words: command('db', 'postgres -c max_connections=200').words,
              }),
            ],
          }),
        },
      },
    },
    {
      given: 'variables of the image',
      facts: {
        project: {
          deployments: deployed({
            servers: [serverInFiles(100, { variables: variables({ POSTGRES_DB: 'app', PGDATA: '/x' }) })],
          }),
        },
      },
    },
  ],
  'pool-per-call': [
    {
      given: 'a pool in a function',
      facts: { project: { pools: [pool(20, { per: 'call' })] } },
      says: 'src/db.ts:4 creates a pool of pg with max 20',
    },
    { given: 'a pool in a module', facts: { project: { pools } } },
    { given: 'a pool in a script', facts: { project: { pools: [pool(20, { per: 'call', role: 'script' })] } } },
  ],
  'pool-per-reload': [
    {
      given: 'a pool that nothing keeps',
      facts: { project: { pools: [pool(10, { per: 'reload' })] } },
      says: 'globalThis',
    },
    { given: 'a pool of poolguard', facts: { project: { pools: [pool(10, { per: 'reload', guarded: true })] } } },
  ],
}

const transaction = { PGBOUNCER_POOL_MODE: 'transaction' }

/** Cases of prepared-statements-break without a server: the tag of the image decides. */
export const STATEMENT_CASES: readonly Case[] = [
  {
    given: 'prepare: true and the image of a PgBouncer where tracking is off by default',
    facts: {
      project: {
        statements: [statement('prepare-true')],
        deployments: deployed({ poolers: [poolerInFiles('bitnami/pgbouncer:1.22.1', transaction)] }),
      },
    },
    says: 'prepare: true in src/db.ts:4, and PgBouncer 1.22.1 (compose.yaml:20) does not track prepared statements',
  },
  {
    given: 'postgres.js and the image of a PgBouncer that cannot track',
    facts: {
      project: {
        drivers: ['postgres.js'],
        deployments: deployed({ poolers: [poolerInFiles('edoburu/pgbouncer:1.20.1', { POOL_MODE: 'transaction' })] }),
      },
    },
    says: 'use an image of PgBouncer 1.24 or later',
  },
  {
    given: 'an image whose settings turn tracking on',
    facts: {
      project: {
        statements: [statement('prepare-true')],
        deployments: deployed({
          poolers: [
            poolerInFiles('bitnami/pgbouncer:1.22.1', { ...transaction, PGBOUNCER_MAX_PREPARED_STATEMENTS: '100' }),
          ],
        }),
      },
    },
  },
  {
    given: 'an image that tracks by default, one without a version, and one in session mode',
    facts: {
      project: {
        statements: [statement('prepare-true')],
        deployments: deployed({
          poolers: [
            poolerInFiles('bitnami/pgbouncer:1.24.1-debian-12-r1', transaction),
            poolerInFiles('bitnami/pgbouncer:latest', transaction),
            poolerInFiles('bitnami/pgbouncer:1.22.1'),
          ],
        }),
      },
    },
  },
]

/** Cases of pooler-without-prepared-statements without a server. */
export const WITHOUT_STATEMENTS_CASES: readonly Case[] = [
  {
    given: 'the image of a PgBouncer where tracking is off by default',
    facts: {
      project: {
        deployments: deployed({ poolers: [poolerInFiles('bitnami/pgbouncer:1.22.1', transaction)] }),
        pgBouncer: { ...pgBouncer({ pool_mode: 'transaction' }), source: 'compose.yaml, service pgbouncer' },
      },
    },
    says: 'PgBouncer 1.22.1 (compose.yaml:20) without max_prepared_statements: its default is 0 before 1.24',
  },
]
