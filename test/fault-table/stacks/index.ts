// Each stack loads its packages when it is opened: a worker needs one of them.
import type { Stack } from '../stack.ts'
import { drizzle, guardedDrizzle, guardedDrizzlePostgresJs } from './drizzle.ts'
import { knex } from './knex.ts'
import { advisedPgPool, guardedFleet, guardedPool, pgPool } from './pg.ts'
import { guardedPostgresJs, postgresJs } from './postgres-js.ts'
import { guardedPrisma, prisma } from './prisma.ts'
import { guardedTypeorm, typeorm } from './typeorm.ts'

/** Each adapter of poolguard. */
export const GUARDED_STACKS: readonly Stack[] = [
  guardedPool,
  guardedPostgresJs,
  guardedPrisma,
  guardedDrizzle,
  guardedDrizzlePostgresJs,
  guardedTypeorm,
]

/** In the order of the table's columns. */
export const STACKS: readonly Stack[] = [
  pgPool,
  advisedPgPool,
  postgresJs,
  prisma,
  drizzle,
  typeorm,
  knex,
  ...GUARDED_STACKS,
]

/** What a worker can run. */
export const RUNNABLE: readonly Stack[] = [...STACKS, guardedFleet]
