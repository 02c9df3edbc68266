import { bare, type Evaluator } from '../../source/evaluator.ts'
import type { Place } from '../../source/source-graph.ts'
import {
  KNEX_DEFAULT,
  PG_DEFAULT,
  POSTGRES_JS_DEFAULT,
  PRISMA_ENGINE_DEFAULT,
  SEQUELIZE_DEFAULT,
} from './default-sizes.ts'
import { guarded } from './driver-pools.ts'
import type { Creation, PoolDraft, PoolReader } from './pool-draft.ts'
import { ADDRESSES, draftFrom, findSize, firstOf, isAddress, optionsOf, textAt } from './read-options.ts'

const POSTGRES_TYPE = /^(postgres(ql)?|aurora-postgres|pg|pgnative|pg-native|cockroach(db)?)$/

export const ORM_POOLS: readonly PoolReader[] = [
  { source: /^typeorm$/, path: /^(DataSource|Connection|createConnection|createConnections)$/, read: dataSource },
  { source: /^@nestjs\/typeorm$/, path: /^TypeOrmModule\.forRoot$/, read: dataSource },
  {
    source: /^@poolguard\/typeorm$/,
    path: /^guardDataSource$/,
    read: (evaluator, creation) => {
      const [own, poolguard] = creation.arguments
      const draft = own && typeormDraft(evaluator, own)
      if (!draft) return undefined
      const size = findSize(evaluator, poolguard, ['pool.max'])
      return { ...draft, ...(size.kind === 'absent' ? {} : { size }), guarded: true, readsConnectionLimit: true }
    },
  },
  {
    source: /^drizzle-orm\/(node-postgres|neon-serverless|vercel-postgres)$/,
    path: /^drizzle$/,
    read: (evaluator, creation) => drizzle(evaluator, creation, false),
  },
  {
    source: /^drizzle-orm\/postgres-js$/,
    path: /^drizzle$/,
    read: (evaluator, creation) => {
      const draft = drizzle(evaluator, creation, false)
      return draft && { ...draft, byDefault: POSTGRES_JS_DEFAULT }
    },
  },
  {
    source: /^@poolguard\/drizzle\/(node-postgres|postgres-js)$/,
    path: /^drizzle$/,
    read: (evaluator, creation) => drizzle(evaluator, creation, true),
  },
  { source: /./, path: /(^|\.)PrismaClient$/, read: prismaEngine },
  {
    source: /^@prisma\/adapter-(pg|neon|ppg)$/,
    path: /^Prisma(Pg|Neon)$/,
    read: (evaluator, { arguments: [options] }) => prismaAdapter(evaluator, options, false),
  },
  {
    source: /^@poolguard\/prisma$/,
    path: /^PrismaPg$/,
    read: (evaluator, { arguments: [options] }) => prismaAdapter(evaluator, options, true),
  },
  {
    source: /^knex$/,
    path: /^(knex|Knex)?$/,
    read: (evaluator, { arguments: [options] }) => options && knexDraft(evaluator, options),
  },
  {
    source: /^(sequelize|@sequelize\/core|sequelize-typescript)$/,
    path: /^Sequelize$|^$/,
    read: (evaluator, creation) => sequelize(evaluator, creation),
  },
  { source: /^@nestjs\/sequelize$/, path: /^SequelizeModule\.forRoot$/, read: sequelize },
  {
    source: /^@mikro-orm\/(core|postgresql|nestjs|knex)$/,
    path: /^(MikroORM\.init(Sync)?|MikroORM|MikroOrmModule\.forRoot)$/,
    read: (evaluator, { arguments: [options], member }) =>
      options && mikroOrmDraft(evaluator, options, member.source === '@mikro-orm/postgresql'),
  },
]

function dataSource(evaluator: Evaluator, { arguments: [options] }: Creation): PoolDraft | undefined {
  return options && typeormDraft(evaluator, options)
}

/** TypeORM: `extra` wins over `poolSize`; one pool for the master and one for each replica. */
export function typeormDraft(evaluator: Evaluator, options: Place): PoolDraft | undefined {
  const type = textAt(evaluator, options, 'type')
  if (type !== undefined && !POSTGRES_TYPE.test(type)) return undefined
  const draft = draftFrom(evaluator, options, {
    library: 'typeorm',
    byDefault: PG_DEFAULT,
    sizes: ['extra.max', 'extra.poolSize', 'poolSize'],
    urls: ['url', 'host', 'replication.master.url', 'replication.master.host'],
  })
  return draft && { ...draft, pools: 1 + replicas(evaluator, evaluator.propertyAt(options, 'replication', 'slaves')) }
}

/** The replicas that a list names; 1 if the list is computed. */
function replicas(evaluator: Evaluator, list: Place | undefined): number {
  if (!list) return 0
  const { node } = evaluator.resolve(list)
  return node.type === 'ArrayExpression' ? node.elements.length : 1
}

/** Drizzle opens a pool for an address or `connection`; with `client` it uses the app's. */
function drizzle(evaluator: Evaluator, { arguments: [one] }: Creation, isGuarded: boolean): PoolDraft | undefined {
  if (!one) return undefined
  const shape = isGuarded
    ? { library: 'drizzle' as const, ...guarded() }
    : { library: 'drizzle' as const, byDefault: PG_DEFAULT, sizes: ['max'] }
  if (isAddress(evaluator, one)) return draftFrom(evaluator, one, shape)
  const connection = evaluator.property(one, 'connection')
  return connection && draftFrom(evaluator, connection, shape)
}

/** Without an adapter, Prisma's engine opens the pool; with one, the adapter does. */
function prismaEngine(evaluator: Evaluator, { arguments: [options] }: Creation): PoolDraft | undefined {
  if (options && ['adapter', 'accelerateUrl'].some((name) => evaluator.property(options, name))) return undefined
  return {
    library: 'prisma',
    byDefault: PRISMA_ENGINE_DEFAULT,
    size: { kind: 'absent' },
    readsConnectionLimit: true,
    url: options && firstOf(evaluator, options, ['datasourceUrl', 'datasources.db.url']),
  }
}

/** The adapter takes a pool of the app, options of pg, or an address. */
function prismaAdapter(evaluator: Evaluator, options: Place | undefined, isGuarded: boolean): PoolDraft | undefined {
  const shape = isGuarded ? guarded() : { byDefault: PG_DEFAULT, sizes: ['max'] }
  return draftFrom(evaluator, options, { library: 'prisma', ...shape })
}

export function knexDraft(evaluator: Evaluator, options: Place): PoolDraft | undefined {
  const name = textAt(evaluator, options, 'client') ?? textAt(evaluator, options, 'dialect')
  if (name !== undefined && !POSTGRES_TYPE.test(name)) return undefined
  return draftFrom(evaluator, options, {
    library: 'knex',
    byDefault: KNEX_DEFAULT,
    sizes: ['pool.max'],
    urls: ['connection.connectionString', 'connection.host', 'connection'],
  })
}

function sequelize(evaluator: Evaluator, creation: Creation): PoolDraft | undefined {
  const options = optionsOf(evaluator, creation)
  const [one] = creation.arguments
  const draft = options ? sequelizeDraft(evaluator, options) : draftFrom(evaluator, one, SEQUELIZE)
  // With more arguments, the first one is the name of the database.
  const isUrl = one && creation.arguments.length <= 2 && isAddress(evaluator, one)
  return draft && { ...draft, url: isUrl ? one : draft.url }
}

const SEQUELIZE = {
  library: 'sequelize',
  byDefault: SEQUELIZE_DEFAULT,
  sizes: ['pool.max'],
  urls: [...ADDRESSES, 'replication.write.host'],
} as const

/** Sequelize: one pool for writes, and one for all replicas together. */
export function sequelizeDraft(evaluator: Evaluator, options: Place): PoolDraft | undefined {
  const dialect = evaluator.property(options, 'dialect')
  const name = textAt(evaluator, options, 'dialect')
  const text = dialect ? dialect.module.textOf(bare(dialect.node)) : ''
  const isPostgres = name === undefined ? text === '' || /postgres/i.test(text) : POSTGRES_TYPE.test(name)
  const draft = isPostgres ? draftFrom(evaluator, options, SEQUELIZE) : undefined
  return draft && { ...draft, pools: evaluator.propertyAt(options, 'replication', 'read') ? 2 : 1 }
}

export function mikroOrmDraft(evaluator: Evaluator, options: Place, isPostgres: boolean): PoolDraft | undefined {
  const driver = evaluator.property(options, 'driver')
  const text = driver ? driver.module.textOf(driver.node) : (textAt(evaluator, options, 'type') ?? '')
  if (text !== '' ? !/postgres/i.test(text) : !isPostgres) return undefined
  return draftFrom(evaluator, options, {
    library: 'mikro-orm',
    byDefault: KNEX_DEFAULT,
    sizes: ['pool.max'],
    urls: ['clientUrl', 'host'],
  })
}
