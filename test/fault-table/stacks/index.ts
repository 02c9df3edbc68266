import type { Stack } from '../stack.ts'
import { drizzle, guardedDrizzle, guardedDrizzlePostgresJs } from './drizzle.ts'
import { knex } from './knex.ts'
import { advisedPgPool, guardedPool, pgPool } from './pg.ts'
import { guardedPostgresJs, postgresJs } from './postgres-js.ts'
import { guardedPrisma, prisma } from './prisma.ts'
import { guardedTypeorm, typeorm } from './typeorm.ts'

/** In the order of the table's columns. */
export const STACKS: readonly Stack[] = [
  pgPool,
  advisedPgPool,
  postgresJs,
  prisma,
  drizzle,
  typeorm,
  knex,
  guardedPool,
  guardedPostgresJs,
  guardedPrisma,
  guardedDrizzle,
  guardedDrizzlePostgresJs,
  guardedTypeorm,
]
