import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import type { InstanceOptions, Report } from './instance-messages.ts'

/** A database behind any of the compared libraries. */
export interface OpenedDatabase {
  query(text: string): Promise<unknown>
  figures(): Pick<Report, 'max' | 'total' | 'reason' | 'fleet'>
}

export function openDatabase({ url, kind, options }: InstanceOptions): OpenedDatabase | Promise<OpenedDatabase> {
  if (kind === 'guarded') {
    const pool = new GuardedPool({ url, ...options })
    return { query: (text) => pool.query(text), figures: () => figuresOf(pool) }
  }
  if (kind === 'guarded-postgres-js') {
    const sql = guardPostgres(url, options)
    return { query: (text) => sql.unsafe(text), figures: () => figuresOf(sql) }
  }
  return kind === 'pg' ? openPg(url) : openPrisma(url)
}

type Guarded = Pick<GuardedPool, 'counts' | 'settings' | 'snapshot'>

function figuresOf(pool: Guarded): ReturnType<OpenedDatabase['figures']> {
  const { max, total } = pool.counts
  return { max, total, reason: pool.settings.reasons.max, fleet: pool.snapshot().fleet }
}

function openPg(url: string): OpenedDatabase {
  const pool = new pg.Pool({ connectionString: url }).on('error', () => {})
  const figures = () => ({ max: pool.options.max, total: pool.totalCount, reason: 'default', fleet: null })
  return { query: (text) => pool.query(text), figures }
}

/** Imports the generated client only when it is needed. */
async function openPrisma(url: string): Promise<OpenedDatabase> {
  const { PrismaPg } = await import('@prisma/adapter-pg')
  const { PrismaClient } = await import('../generated/prisma/client.ts')
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  return {
    query: (text) => prisma.$executeRawUnsafe(text),
    figures: () => ({ max: 10, total: 0, reason: 'default', fleet: null }),
  }
}
