import { describeTopology } from '@poolguard/core'
import { describeAddress } from '@poolguard/core/postgres'
import pg from 'pg'
import type { Facts } from './facts.ts'

const KNOWN = ['@prisma/client', 'drizzle-orm', 'typeorm', 'pg', 'postgres', '@nestjs/core', 'fastify', 'next']

/** One line for each thing that doctor checked or could not check. Contains no password. */
export function describeChecks({ target, server, unreached, pooler, project }: Facts): readonly string[] {
  const lines = [
    target
      ? `Database: ${describeAddress(target.url)} (${target.source})`
      : 'Database: none configured (pass a URL, or set DATABASE_URL or PGHOST).',
  ]
  if (server) lines.push(`Connected: PostgreSQL ${server.version}; ${describeTopology(server.topology)}.`)
  if (server && !server.seesAll) {
    lines.push(
      `${server.role} can see the state of its own sessions only. To see all sessions: GRANT pg_read_all_stats TO ${pg.escapeIdentifier(server.role)}.`,
    )
  }
  if (unreached) lines.push(`Cannot connect: ${unreached.message}. Only the checks that need no connection ran.`)
  if (pooler) lines.push(`PgBouncer ${pooler.version}: read its settings and pools from the console.`)
  const found = KNOWN.filter((name) => project.packages.has(name)).map(
    (name) => `${name} ${project.packages.get(name)}`,
  )
  if (project.packages.size === 0) lines.push('Project: no package.json with dependencies in this directory.')
  else lines.push(`Project: ${found.join(', ') || 'no known ORM or driver'}.`)
  if (project.isWorkspaceRoot && project.drivers.length === 0) {
    lines.push("This is the root of a monorepo: run doctor in the app's directory, next to its package.json and .env.")
  }
  if (project.unread.length > 0) lines.push(`Skipped: ${project.unread.join(', ')}.`)
  return lines
}
