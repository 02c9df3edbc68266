import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import type { InstanceOptions, Report } from './instance-messages.ts'

/** A database as the load sees it, whichever library is in between. */
export interface OpenedDatabase {
  query(text: string): Promise<unknown>
  look(): Pick<Report, 'max' | 'total' | 'reason' | 'fleet'>
}

export function openDatabase({ url, kind, options }: InstanceOptions): OpenedDatabase | Promise<OpenedDatabase> {
  if (kind === 'guarded') {
    const pool = new GuardedPool({ url, ...options })
    return { query: (text) => pool.query(text), look: () => lookAt(pool) }
  }
  if (kind === 'guarded-postgres-js') {
    const sql = guardPostgres(url, options)
    return { query: (text) => sql.unsafe(text), look: () => lookAt(sql) }
  }
  return kind === 'pg' ? openPg(url) : openPrisma(url)
}

type Guarded = Pick<GuardedPool, 'counts' | 'settings' | 'snapshot'>

function lookAt(pool: Guarded): ReturnType<OpenedDatabase['look']> {
  const { max, total } = pool.counts
  return { max, total, reason: pool.settings.reasons.max, fleet: pool.snapshot().fleet }
}

function openPg(url: string): OpenedDatabase {
  const pool = new pg.Pool({ connectionString: url }).on('error', () => {})
  const look = () => ({ max: pool.options.max, total: pool.totalCount, reason: 'default', fleet: null })
  return { query: (text) => pool.query(text), look }
}

/** Loaded only where it is asked for: its client is generated. */
async function openPrisma(url: string): Promise<OpenedDatabase> {
  const { PrismaPg } = await import('@prisma/adapter-pg')
  const { PrismaClient } = await import('../generated/prisma/client.ts')
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  return {
    query: (text) => prisma.$executeRawUnsafe(text),
    look: () => ({ max: 10, total: 0, reason: 'default', fleet: null }),
  }
}
