import type { Evaluator } from '../../source/evaluator.ts'
import { keyOf } from '../../source/module.ts'
import type { Place } from '../../source/source-graph.ts'
import { knexDraft, mikroOrmDraft, sequelizeDraft, typeormDraft } from './orm-pools.ts'
import type { PoolDraft } from './pool-draft.ts'
import { textAt } from './read-options.ts'

/** Options that a framework passes on: `forRootAsync`, `ormconfig`, `knexfile`, a configuration by environment. */
interface PoolShape {
  /** The package that reads such options. */
  readonly packages: readonly string[]
  readonly matches: (keys: ReadonlySet<string>, text: (name: string) => string | undefined) => boolean
  readonly read: (evaluator: Evaluator, options: Place) => PoolDraft | undefined
}

const hasAny = (keys: ReadonlySet<string>, names: readonly string[]) => names.some((name) => keys.has(name))

const SHAPES: readonly PoolShape[] = [
  {
    packages: ['typeorm', '@nestjs/typeorm'],
    matches: (keys, text) =>
      /^(postgres|aurora-postgres|cockroachdb)$/.test(text('type') ?? '') &&
      hasAny(keys, [
        'url',
        'host',
        'database',
        'entities',
        'autoLoadEntities',
        'extra',
        'poolSize',
        'replication',
        'synchronize',
      ]),
    read: typeormDraft,
  },
  {
    packages: ['knex', 'objection', 'nestjs-knex', '@strapi/strapi'],
    matches: (keys, text) =>
      /^(pg|postgres|postgresql|pgnative|cockroachdb)$/.test(text('client') ?? '') &&
      hasAny(keys, ['connection', 'pool']),
    read: knexDraft,
  },
  {
    packages: ['sequelize', '@sequelize/core', '@nestjs/sequelize', 'sequelize-typescript'],
    matches: (keys, text) =>
      /^postgres$/.test(text('dialect') ?? '') &&
      hasAny(keys, ['database', 'host', 'pool', 'username', 'use_env_variable', 'url', 'uri', 'replication']),
    read: sequelizeDraft,
  },
  {
    packages: ['@mikro-orm/postgresql'],
    matches: (keys) =>
      hasAny(keys, ['entities', 'entitiesTs', 'discovery']) && hasAny(keys, ['dbName', 'clientUrl', 'driver', 'host']),
    read: (evaluator, options) => mikroOrmDraft(evaluator, options, true),
  },
]

/** Reads an object as the options of a library that the app has; undefined for other objects. */
export function draftFromShape(
  evaluator: Evaluator,
  options: Place,
  packages: ReadonlyMap<string, string>,
): PoolDraft | undefined {
  const { node } = options
  if (node.type !== 'ObjectExpression') return undefined
  const keys = new Set(
    node.properties
      .flatMap((each) => (each.type === 'SpreadElement' ? [] : [keyOf(each)]))
      .filter((key) => key !== undefined),
  )
  const text = (name: string) => textAt(evaluator, options, name)
  const shape = SHAPES.find((each) => each.packages.some((name) => packages.has(name)) && each.matches(keys, text))
  return shape?.read(evaluator, options)
}
