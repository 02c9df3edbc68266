import { Inject } from '@nestjs/common'

/**
 * The injection token of a pool, for use in a factory.
 *
 * @param name the pool's key in `pools`; omit it if there is only one pool.
 * @example
 * const database: FactoryProvider = {
 *   provide: DATABASE,
 *   inject: [getPoolToken()],
 *   useFactory: (pool: GuardedPool) => drizzle({ client: pool, schema }),
 * }
 */
export function getPoolToken(name?: string): string {
  return name === undefined ? 'POOLGUARD_POOL' : `POOLGUARD_POOL_${name}`
}

/**
 * Injects a pool.
 *
 * @param name the pool's key in `pools`; omit it if there is only one pool.
 * @example
 * @Injectable()
 * export class Orders {
 *   constructor(@InjectPool('orders') private readonly pool: GuardedPool) {}
 * }
 */
export function InjectPool(name?: string): ReturnType<typeof Inject> {
  return Inject(getPoolToken(name))
}
