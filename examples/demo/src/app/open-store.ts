import type { StoreName } from './environment.ts'
import type { Store } from './store.ts'

const STORE_LOADERS: Record<StoreName, () => Promise<{ store: Store }>> = {
  drizzle: () => import('./drizzle.ts'),
  'drizzle-guarded': () => import('./drizzle-guarded.ts'),
  prisma: () => import('./prisma.ts'),
  'prisma-guarded': () => import('./prisma-guarded.ts'),
}

/** Loads only the libraries of that store. */
export async function openStore(name: StoreName): Promise<Store> {
  return (await STORE_LOADERS[name]()).store
}
