import { describeTopology } from '@poolguard/core'
import { describeAddress } from '@poolguard/core/postgres'
import pg from 'pg'
import type { Facts } from './facts.ts'

const KNOWN = ['@prisma/client', 'drizzle-orm', 'typeorm', 'pg', 'postgres', '@nestjs/core', 'fastify', 'next']

/** What was looked at, and what could not be: a line each. Holds no password. */
export function describeLook({ target, server, unreached, pooler, project }: Facts): readonly string[] {
  const lines = [
    target
      ? `Database: ${describeAddress(target.url)} (${target.source})`
      : 'Database: none was named (a URL, DATABASE_URL, PGHOST).',
  ]
  if (server) lines.push(`Reached: PostgreSQL ${server.version}; ${describeTopology(server.topology)}.`)
  if (server && !server.seesAll) {
    lines.push(
      `${server.role} sees the states of its own sessions only; GRANT pg_read_all_stats TO ${pg.escapeIdentifier(server.role)} shows all.`,
    )
  }
  if (unreached) lines.push(`Not reached: ${unreached.message}. Only what needs no connection was checked.`)
  if (pooler) lines.push(`PgBouncer ${pooler.version}: its console was read.`)
  const found = KNOWN.filter((name) => project.packages.has(name)).map(
    (name) => `${name} ${project.packages.get(name)}`,
  )
  if (project.packages.size === 0) lines.push('Project: no package.json here that names packages.')
  else lines.push(`Project: ${found.join(', ') || 'no ORM and no driver that is known'}.`)
  if (project.isWorkspaceRoot && project.drivers.length === 0) {
    lines.push("This is a monorepo's root: run it in the folder of the app, whose package.json and .env count.")
  }
  if (project.unread.length > 0) lines.push(`Not read: ${project.unread.join(', ')}.`)
  return lines
}
