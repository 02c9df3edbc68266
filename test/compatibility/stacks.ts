/** What a stack is, in which versions, and which tests run it. `docs/compatibility.md` is generated from this and from what these tests did. */
export interface Stack {
  readonly name: string
  /** The packages whose versions are shown: their names as they are installed, with the folder below `test/` that has them. */
  readonly packages: readonly InstalledPackage[]
  /** What is shown instead if there are none. */
  readonly origin?: string
  /** The project of Vitest that runs the tests. */
  readonly project: string
  readonly topics: readonly Topic[]
}

export interface InstalledPackage {
  /** As it is published. */
  readonly name: string
  /** As it is installed, if under another name. */
  readonly alias?: string
  /** Below `test/`; empty: `test/` itself. */
  readonly folder?: string
}

/** A part of what a stack does. */
export interface Topic {
  readonly title: string
  /** Below `test/`. */
  readonly file: string
  /** Counts only the tests with this in their full name, in upper or lower case. */
  readonly containing?: string
}

export interface Group {
  readonly title: string
  readonly stacks: readonly Stack[]
}

const NEWEST = 'test'
const OLDEST = 'test (oldest peers)'
const NEXT = 'test (next peers)'

const integration = (title: string, name: string, containing?: string): Topic => ({
  title,
  file: `integration/${name}.test.ts`,
  ...(containing && { containing }),
})
const faults = (name: string, containing?: string): Topic => ({
  title: 'faults',
  file: `faults/${name}.test.ts`,
  ...(containing && { containing }),
})

const PG_ON_EITHER_END: readonly Topic[] = [
  integration('pool', 'guarded-pool'),
  integration('checkouts', 'checkouts'),
  integration('streams', 'abandoned-streams'),
  integration('prepared statements', 'prepared-statements'),
  integration('PgBouncer', 'prepared-statements-pgbouncer'),
  integration('session state', 'lint'),
  integration('`observe`', 'observe'),
  faults('network'),
]
const POSTGRES_JS_ON_EITHER_END: readonly Topic[] = [
  integration('queries', 'postgres-js-queries'),
  integration('transactions', 'postgres-js-transactions'),
  integration('prepared statements', 'postgres-js-prepared'),
  integration('PgBouncer', 'postgres-js-pgbouncer'),
  integration('`observe`', 'postgres-js-observe'),
  faults('postgres-js'),
]
const TYPEORM: readonly Topic[] = [
  integration('data sources', 'typeorm'),
  integration('options', 'typeorm-options'),
  integration('replication', 'typeorm-replication'),
  integration('PgBouncer', 'typeorm-pgbouncer'),
  faults('typeorm'),
]
const FASTIFY: readonly Topic[] = [
  integration('plugin', 'fastify'),
  integration('overload', 'fastify-load'),
  integration('deadlines', 'fastify-deadlines'),
  integration('other plugins', 'fastify-plugins'),
  integration('shutdown', 'fastify-shutdown'),
]
const PRISMA: readonly Topic[] = [
  integration('queries', 'prisma'),
  integration('errors', 'prisma-errors'),
  integration('batches', 'prisma-batches'),
  integration('PgBouncer', 'prisma-pgbouncer'),
  integration('hot reload', 'prisma-hot-reload'),
  faults('prisma'),
]
const NESTJS: readonly Topic[] = [
  integration('module', 'nestjs-module'),
  integration('ORMs', 'nestjs-orms'),
  integration('endpoints', 'nestjs-endpoints'),
  integration('health', 'nestjs-health'),
  integration('deadlines', 'nestjs-deadlines'),
  integration('metrics', 'nestjs-metrics'),
  integration('shutdown', 'nestjs-shutdown'),
]

/** A library that takes a `pg.Pool`. */
function library(name: string, packageName: string, testName = name): Stack {
  return {
    name,
    packages: [{ name: packageName, folder: 'libraries' }],
    project: NEWEST,
    topics: [{ title: 'on a `GuardedPool`', file: 'libraries/libraries.test.ts', containing: testName }],
  }
}

function withTopic(stack: Stack, topic: Topic): Stack {
  return { ...stack, topics: [...stack.topics, topic] }
}

/** A framework on `@poolguard/web`. */
function webFramework(name: string, packages: readonly string[], example?: string): Stack {
  return {
    name,
    packages: packages.map((installed) => ({ name: installed })),
    project: NEWEST,
    topics: [
      integration('middleware', 'web', `on ${name}`),
      { title: 'live page', file: 'page/frameworks.test.ts', containing: name },
      ...(example ? [{ title: 'example', file: 'examples/examples.test.ts', containing: example }] : []),
    ],
  }
}

/** A framework that only an example runs, because it has to be built. */
function frameworkOfExample(name: string, example: string, packages: readonly string[]): Stack {
  return {
    name,
    packages: packages.map((installed) => ({ name: installed, folder: `../examples/${example}` })),
    project: NEWEST,
    topics: [{ title: 'example', file: 'examples/examples.test.ts', containing: example }],
  }
}

function runtime(name: string, packageName: string): Stack {
  return {
    name,
    packages: [{ name: packageName, folder: 'runtimes' }],
    project: NEWEST,
    topics: [{ title: 'small apps', file: 'runtimes/runtimes.test.ts', containing: name }],
  }
}

function serverless(name: string, testName: string): Stack {
  return {
    name,
    packages: [],
    origin: 'an imitation by its documentation',
    project: NEWEST,
    topics: [{ title: 'freeze and shutdown', file: 'serverless/serverless.test.ts', containing: testName }],
  }
}

function pgBouncer(version: string, furtherTopics: readonly [title: string, name: string][]): Stack {
  const name = `PgBouncer ${version}`
  const topics: readonly [title: string, name: string][] = [
    ['detection', 'topology'],
    ['pg', 'prepared-statements-pgbouncer'],
    ['postgres.js', 'postgres-js-pgbouncer'],
    ['TypeORM', 'typeorm-pgbouncer'],
    ...furtherTopics,
  ]
  return {
    name,
    packages: [],
    origin: 'a package of Debian',
    project: NEWEST,
    topics: [...topics.map(([title, file]) => integration(title, file, name)), faults('pgbouncer', name)],
  }
}

export const GROUPS: readonly Group[] = [
  {
    title: 'Drivers',
    stacks: [
      {
        name: 'pg',
        packages: [{ name: 'pg' }],
        project: NEWEST,
        topics: [
          ...PG_ON_EITHER_END,
          integration('as pg-pool', 'pg-pool-behaviour'),
          integration('cancellation', 'cancellation'),
          integration('failover', 'failover'),
          integration('replicas', 'replicas'),
          integration('pipelining', 'pipelining'),
          { title: 'lost statements', file: 'faults/lost-statements.test.ts' },
        ],
      },
      {
        name: 'pg, oldest',
        packages: [{ name: 'pg', alias: 'pg-oldest' }],
        project: OLDEST,
        topics: PG_ON_EITHER_END,
      },
      {
        name: 'postgres.js',
        packages: [{ name: 'postgres' }],
        project: NEWEST,
        topics: [...POSTGRES_JS_ON_EITHER_END, integration('pipelining', 'postgres-js-pipelining')],
      },
      {
        name: 'postgres.js, oldest',
        packages: [{ name: 'postgres', alias: 'postgres-oldest' }],
        project: OLDEST,
        topics: POSTGRES_JS_ON_EITHER_END,
      },
    ],
  },
  {
    title: 'ORMs',
    stacks: [
      {
        name: 'Drizzle',
        packages: [{ name: 'drizzle-orm' }],
        project: NEWEST,
        topics: [
          integration('queries', 'drizzle'),
          integration('schema', 'drizzle-schema'),
          faults('adapters', 'Drizzle'),
        ],
      },
      {
        name: 'Drizzle, oldest',
        packages: [{ name: 'drizzle-orm', alias: 'drizzle-orm-oldest' }],
        project: OLDEST,
        topics: [integration('queries', 'drizzle'), integration('schema', 'drizzle-schema')],
      },
      {
        name: 'Drizzle, next',
        packages: [{ name: 'drizzle-orm', alias: 'drizzle-orm-next' }],
        project: NEXT,
        topics: [integration('queries', 'drizzle'), integration('relations', 'drizzle-relations')],
      },
      {
        name: 'Prisma',
        packages: [{ name: '@prisma/client' }, { name: '@prisma/adapter-pg' }],
        project: NEWEST,
        topics: PRISMA,
      },
      {
        name: 'Prisma, oldest',
        packages: [
          { name: '@prisma/client', folder: 'prisma-6' },
          { name: '@prisma/adapter-pg', folder: 'prisma-6' },
        ],
        project: 'test (Prisma 6)',
        topics: PRISMA,
      },
      { name: 'TypeORM', packages: [{ name: 'typeorm' }], project: NEWEST, topics: TYPEORM },
      {
        name: 'TypeORM, oldest',
        packages: [{ name: 'typeorm', alias: 'typeorm-oldest' }],
        project: OLDEST,
        topics: TYPEORM,
      },
    ],
  },
  {
    title: 'Frameworks',
    stacks: [
      {
        name: 'NestJS',
        packages: [{ name: '@nestjs/common' }, { name: '@nestjs/terminus' }],
        project: NEWEST,
        topics: [...NESTJS, { title: 'example', file: 'examples/examples.test.ts', containing: 'nestjs-typeorm' }],
      },
      {
        name: 'NestJS, oldest',
        packages: [
          { name: '@nestjs/common', folder: 'nestjs-11' },
          { name: '@nestjs/terminus', folder: 'nestjs-11' },
        ],
        project: 'test (Nest 11)',
        topics: NESTJS,
      },
      {
        name: 'Fastify',
        packages: [{ name: 'fastify' }],
        project: NEWEST,
        topics: [...FASTIFY, { title: 'example', file: 'examples/examples.test.ts', containing: 'fastify-prisma' }],
      },
      {
        name: 'Fastify, oldest',
        packages: [{ name: 'fastify', alias: 'fastify-oldest' }],
        project: OLDEST,
        topics: FASTIFY,
      },
      {
        name: 'Fastify, next',
        packages: [{ name: 'fastify', alias: 'fastify-next' }],
        project: NEXT,
        topics: [integration('plugin', 'fastify')],
      },
      webFramework('Express', ['express'], 'prisma-express'),
      webFramework('Koa', ['koa', '@koa/router'], 'koa-pg'),
      webFramework('Hono', ['hono', '@hono/node-server'], 'hono-pg'),
      frameworkOfExample('Next.js', 'nextjs-drizzle', ['next']),
      frameworkOfExample('SvelteKit', 'sveltekit-postgres-js', ['@sveltejs/kit', '@sveltejs/adapter-node']),
      frameworkOfExample('React Router', 'react-router-pg', ['react-router']),
      {
        name: 'React Router 7',
        packages: [{ name: 'react-router', alias: 'react-router-7' }],
        project: NEWEST,
        topics: [integration('middleware', 'react-router-7')],
      },
    ],
  },
  {
    title: 'Libraries that take a pool',
    stacks: [
      withTopic(library('Prisma 8', '@prisma/orm-postgres'), { title: 'faults', file: 'libraries/prisma-8.test.ts' }),
      library('Kysely', 'kysely'),
      library('Knex', 'knex'),
      library('MikroORM', '@mikro-orm/postgresql'),
      library('pg-boss', 'pg-boss'),
      library('graphile-worker', 'graphile-worker'),
      library('connect-pg-simple', 'connect-pg-simple'),
      library('better-auth', 'better-auth'),
      library("LangGraph's checkpointer", '@langchain/langgraph-checkpoint-postgres', 'LangGraph'),
    ],
  },
  {
    title: 'Runtimes other than Node',
    stacks: [runtime('Bun', 'bun'), runtime('Deno', 'deno'), runtime('Cloudflare Workers', 'miniflare')],
  },
  {
    title: 'Serverless platforms',
    stacks: [
      serverless('AWS Lambda', 'Lambda'),
      serverless('Cloud Run', 'Cloud Run'),
      { ...serverless('Vercel', 'Vercel'), packages: [{ name: '@vercel/functions' }] },
    ],
  },
  {
    title: 'Poolers',
    stacks: [
      pgBouncer('1.18', [['fleets', 'fleet-pgbouncer']]),
      pgBouncer('1.24', [
        ['Prisma', 'prisma-pgbouncer'],
        ['fleets', 'fleet-pgbouncer'],
      ]),
      pgBouncer('1.26', [['`doctor`', 'cli-doctor-pooler']]),
    ],
  },
]
