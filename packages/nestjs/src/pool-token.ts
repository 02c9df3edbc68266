import { Inject } from '@nestjs/common'

/**
 * The token that a pool is injected by, where a factory asks for it.
 *
 * @param name its key in `pools`; without one, the only pool.
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
 * @param name its key in `pools`; without one, the only pool.
 * @example
 * @Injectable()
 * export class Orders {
 *   constructor(@InjectPool('orders') private readonly pool: GuardedPool) {}
 * }
 */
export function InjectPool(name?: string): ReturnType<typeof Inject> {
  return Inject(getPoolToken(name))
}
