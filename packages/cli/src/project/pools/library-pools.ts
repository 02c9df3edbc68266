import type { Evaluator } from '../../source/evaluator.ts'
import { GRAPHILE_WORKER_DEFAULT, PG_BOSS_DEFAULT, PG_DEFAULT } from './default-sizes.ts'
import type { Creation, PoolDraft, PoolReader } from './pool-draft.ts'
import { draftFrom, isAddress, type OptionsShape } from './read-options.ts'

const CONNECT_PG_SIMPLE: OptionsShape = {
  library: 'connect-pg-simple',
  byDefault: PG_DEFAULT,
  sizes: ['conObject.max'],
  urls: ['conString', 'conObject.connectionString', 'conObject.host'],
  existing: ['pool', 'pgPromise'],
}

const GRAPHILE_WORKER: OptionsShape = {
  library: 'graphile-worker',
  byDefault: GRAPHILE_WORKER_DEFAULT,
  sizes: ['maxPoolSize', 'preset.worker.maxPoolSize'],
  urls: ['connectionString', 'preset.worker.connectionString'],
  existing: ['pgPool'],
}

/** Libraries for queues, sessions, logins and agents that open a pool of their own beside the app's. */
export const LIBRARY_POOLS: readonly PoolReader[] = [
  {
    source: /^pg-boss$/,
    path: /^(PgBoss)?$/,
    read: (evaluator, { arguments: [options] }) =>
      draftFrom(evaluator, options, {
        library: 'pg-boss',
        byDefault: PG_BOSS_DEFAULT,
        sizes: ['max', 'poolSize'],
        existing: ['db'],
      }),
  },
  {
    source: /^@langchain\//,
    path: /^(PostgresSaver|PostgresStore|ShallowPostgresSaver|PGVectorStore|PostgresChatMessageHistory)(\.(fromConnString|initialize|fromDocuments|fromTexts))?$/,
    read: langgraph,
  },
  {
    source: /^connect-pg-simple$/,
    path: /^\(\)$/,
    read: (evaluator, { arguments: [options] }) => draftFrom(evaluator, options, CONNECT_PG_SIMPLE),
  },
  {
    source: /^graphile-worker$/,
    path: /^(run|runOnce|runMigrations|makeWorkerUtils|quickAddJob)$/,
    read: (evaluator, { arguments: [options] }) => draftFrom(evaluator, options, GRAPHILE_WORKER),
  },
  {
    source: /^postgraphile$/,
    path: /^(postgraphile)?$/,
    read: (evaluator, { arguments: [one] }) => {
      // An existing pool comes as an expression that is no address.
      if (one && !isAddress(evaluator, one) && evaluator.resolve(one).node.type !== 'ObjectExpression') return undefined
      return draftFrom(evaluator, one, { library: 'postgraphile', byDefault: PG_DEFAULT, sizes: ['max'] })
    },
  },
  {
    source: /^postgraphile\/adaptors\/pg$/,
    path: /^makePgService$/,
    read: (evaluator, { arguments: [options] }) =>
      draftFrom(evaluator, options, {
        library: 'postgraphile',
        byDefault: PG_DEFAULT,
        sizes: ['poolConfig.max'],
        existing: ['pool'],
      }),
  },
  {
    source: /^@payloadcms\/db-postgres$/,
    path: /^postgresAdapter$/,
    read: (evaluator, { arguments: [options] }) =>
      draftFrom(evaluator, options, {
        library: 'payload',
        byDefault: PG_DEFAULT,
        sizes: ['pool.max'],
        urls: ['pool.connectionString', 'pool.host'],
      }),
  },
]

/** A checkpointer opens a pool for an address; its constructor takes one of the app. */
function langgraph(evaluator: Evaluator, { arguments: given, member }: Creation): PoolDraft | undefined {
  const byCall = /\.(fromConnString|initialize|fromDocuments|fromTexts)$/.test(member.path)
  const [one] = given
  const options = member.path.startsWith('PGVectorStore') ? given.at(-1) : one
  const isOptions = options && evaluator.resolve(options).node.type === 'ObjectExpression'
  if (!byCall && !isOptions) return undefined
  return draftFrom(evaluator, options, {
    library: 'langgraph',
    byDefault: PG_DEFAULT,
    sizes: ['poolConfig.max', 'postgresConnectionOptions.max', 'max'],
    urls: ['connString', 'postgresConnectionOptions.connectionString', 'postgresConnectionOptions.host'],
    existing: ['pool'],
  })
}
