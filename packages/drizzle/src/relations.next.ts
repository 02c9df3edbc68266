/** Checks the types on Drizzle 1.0; only tsconfig.next.json compiles this file. */
import * as orm from 'drizzle-orm'
import { drizzle as plainDrizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle } from './node-postgres.ts'
import { drizzle as onPostgresJs } from './postgres-js.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

const account = pgTable('account', { id: integer().primaryKey(), owner: text().notNull() })
const relations = orm.defineRelations({ account })

const plain = plainDrizzle('postgresql://localhost/x', { relations })
const db = drizzle('postgresql://localhost/x', { relations })
const other = onPostgresJs({ connection: { url: 'postgresql://localhost/x', instances: 2 }, relations })
type Found = Awaited<ReturnType<typeof db.query.account.findFirst>>
type OtherFound = Awaited<ReturnType<typeof other.query.account.findFirst>>
type PlainFound = Awaited<ReturnType<typeof plain.query.account.findFirst>>

const row: Found = { id: 1, owner: 'Ada' }

export const checks: readonly unknown[] = [
  true satisfies Equal<Found, PlainFound>,
  true satisfies Equal<OtherFound, PlainFound>,
  row,
]

// @ts-expect-error the relations have no such table
export const unknownTable: unknown = db.query.orders
