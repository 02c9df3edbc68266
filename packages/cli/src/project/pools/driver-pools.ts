import type { Evaluator } from '../../source/evaluator.ts'
import {
  DATABASES_DEFAULT,
  ONE_CONNECTION,
  PG_DEFAULT,
  POOLGUARD_DEFAULT,
  POSTGRES_JS_DEFAULT,
  SLONIK_DEFAULT,
} from './default-sizes.ts'
import type { Creation, PoolDraft, PoolReader } from './pool-draft.ts'
import { draftFrom, type OptionsShape, optionsOf } from './read-options.ts'

const PG: OptionsShape = { library: 'pg', byDefault: PG_DEFAULT, sizes: ['max'] }

/** Takes the options from the first argument. */
function first(shape: OptionsShape): PoolReader['read'] {
  return (evaluator, { arguments: [options] }) => draftFrom(evaluator, options, shape)
}

/** Takes the address from the first argument, and the options from the second; or both from the first. */
function urlThenOptions(shape: OptionsShape): PoolReader['read'] {
  return (evaluator, { arguments: [one, other] }) => {
    if (!other) return draftFrom(evaluator, one, shape)
    const draft = draftFrom(evaluator, other, shape)
    return draft && { ...draft, url: one ?? draft.url }
  }
}

/** A client is one connection. */
function client(evaluator: Evaluator, { arguments: [options] }: Creation): PoolDraft | undefined {
  const draft = draftFrom(evaluator, options, { ...PG, byDefault: ONE_CONNECTION })
  return draft && { ...draft, size: { kind: 'absent' } }
}

/** Drivers, and small libraries over them. */
export const DRIVER_POOLS: readonly PoolReader[] = [
  { source: /^pg$/, path: /^(native\.)?Pool$/, read: first(PG) },
  { source: /^pg-pool$/, path: /^(Pool)?$/, read: first(PG) },
  { source: /^pg$/, path: /^(native\.)?Client$/, read: client },
  {
    source: /^postgres$/,
    path: /^$/,
    read: urlThenOptions({ library: 'postgres', byDefault: POSTGRES_JS_DEFAULT, sizes: ['max', 'max_connections'] }),
  },
  {
    source: /^@vercel\/postgres$/,
    path: /^create(Pool|Client)$/,
    read: first({ ...PG, library: 'vercel-postgres', sizes: ['max', 'maxUses.max'] }),
  },
  { source: /^@neondatabase\/serverless$/, path: /^Pool$/, read: first({ ...PG, library: 'neon-serverless' }) },
  {
    source: /^slonik$/,
    path: /^createPool$/,
    read: urlThenOptions({ library: 'slonik', byDefault: SLONIK_DEFAULT, sizes: ['maximumPoolSize', 'maxPoolSize'] }),
  },
  { source: /^pg-promise$/, path: /^\(\)$/, read: first({ ...PG, library: 'pg-promise', sizes: ['max', 'poolSize'] }) },
  {
    source: /^@databases\/pg$/,
    path: /^$/,
    read: (evaluator, creation) =>
      draftFrom(evaluator, optionsOf(evaluator, creation) ?? creation.arguments[0], {
        library: 'databases',
        byDefault: DATABASES_DEFAULT,
        sizes: ['poolSize'],
      }),
  },
  {
    source: /^@keyv\/postgres$/,
    path: /^(KeyvPostgres|createKeyv)?$/,
    read: first({ ...PG, library: 'keyv', sizes: ['max', 'poolSize'] }),
  },
  {
    source: /^@poolguard\/pg$/,
    path: /^GuardedPool$/,
    read: (evaluator, creation) => {
      const draft = readGuardedPool(evaluator, creation)
      return draft && { ...draft, isNewEachTime: true }
    },
  },
  { source: /^@poolguard\/pg$/, path: /^(guardPool|sharedGuardedPool)$/, read: readGuardedPool },
  {
    source: /^@poolguard\/postgres-js$/,
    path: /^guardPostgres$/,
    read: urlThenOptions({ library: 'postgres', ...guarded() }),
  },
]

function readGuardedPool(evaluator: Evaluator, creation: Creation): PoolDraft | undefined {
  return first({ library: 'pg', ...guarded() })(evaluator, creation)
}

/** poolguard's options are the same for every adapter. */
export function guarded(): Omit<OptionsShape, 'library'> {
  return {
    byDefault: POOLGUARD_DEFAULT,
    sizes: ['pool.max', 'max', 'poolSize', 'extra.max'],
    guarded: true,
    readsConnectionLimit: true,
  }
}
