import type { Evaluator } from '../../source/evaluator.ts'
import type { Place } from '../../source/source-graph.ts'
import { PG_DEFAULT } from './default-sizes.ts'
import { guarded } from './driver-pools.ts'
import type { PoolDraft, PoolReader } from './pool-draft.ts'
import { draftFrom } from './read-options.ts'

/** Plugins of Fastify, `app.register(plugin, options)`, that open a pool. */
export function draftFromPlugin(
  evaluator: Evaluator,
  plugin: Place,
  options: Place | undefined,
): PoolDraft | undefined {
  const member = evaluator.memberOf(plugin)
  if (member?.source === '@fastify/postgres' || member?.source === 'fastify-postgres') {
    const driver = options && evaluator.property(options, 'pg')
    const isGuarded = driver !== undefined && /poolguard/i.test(driver.module.textOf(driver.node).slice(0, 200))
    return draftFrom(evaluator, options, {
      library: 'fastify-postgres',
      byDefault: PG_DEFAULT,
      sizes: ['max'],
      ...(isGuarded && { guarded: true }),
    })
  }
  const pool = member?.source === '@poolguard/fastify' && options ? evaluator.property(options, 'pool') : undefined
  return pool && evaluator.resolve(pool).node.type === 'ObjectExpression'
    ? draftFrom(evaluator, pool, { library: 'pg', ...guarded() })
    : undefined
}

/** Nest's module makes a pool if it gets the options of one. */
export const MODULE_POOLS: readonly PoolReader[] = [
  {
    source: /^@poolguard\/nestjs$/,
    path: /^PoolguardModule\.forRoot$/,
    read: (evaluator, { arguments: [options] }) =>
      options && ['url', 'pool', 'fleet', 'instances'].some((name) => evaluator.property(options, name))
        ? draftFrom(evaluator, options, { library: 'pg', ...guarded() })
        : undefined,
  },
]
