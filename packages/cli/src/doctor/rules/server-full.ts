import pg from 'pg'
import type { Facts } from '../facts.ts'
import { endIdle, WHO_HOLDS } from '../held-connections.ts'
import { makeRoom } from '../make-room.ts'
import type { Rule } from '../rule.ts'

export const serverFull: Rule = {
  id: 'server-full',
  title: 'The server has no connection left',
  severity: 'critical',
  check: (facts) => {
    const { unreached, target } = facts
    if (unreached?.failure !== 'full') return []
    const { why, change } = explain(facts, unreached.message)
    return [
      {
        evidence: `${target?.url} rejected the connection: ${unreached.message}.`,
        why,
        change,
        data: { message: unreached.message },
      },
    ]
  },
}

/** Four limits produce similar messages, and each one is raised in a different place. */
function explain(facts: Facts, message: string): { why: string; change: string } {
  const { target } = facts
  if (/no more connections allowed|client connections exceeded/.test(message)) {
    return {
      why: 'PgBouncer, not PostgreSQL, rejects the connection: max_client_conn or a limit of this user or database is reached. PostgreSQL may have free connections.',
      change:
        'Run `SHOW CLIENTS` and `SHOW POOLS` on its console (the console is open even at max_client_conn), raise max_client_conn in pgbouncer.ini, and `RELOAD`. Or lower the max of the pools.',
    }
  }
  const [, kind, name] = /too many connections for (role|database) "(.+)"/.exec(message) ?? []
  if (kind !== undefined && name !== undefined) {
    return {
      why: `The ${kind} has reached its own CONNECTION LIMIT. The server may have free connections.`,
      change: [
        '1. As a superuser, list who holds the connections:',
        `   ${WHO_HOLDS}`,
        '2. Lower the max of the pools (`poolguard plan`), or raise the limit as far as max_connections allows:',
        `   ALTER ${kind.toUpperCase()} ${pg.escapeIdentifier(name)} CONNECTION LIMIT 50;`,
      ].join('\n'),
    }
  }
  return {
    why: 'The server rejects every new connection of this role until another session ends.',
    change: [
      '1. As a superuser, who can still log in (superuser_reserved_connections), list who holds the connections:',
      `   ${WHO_HOLDS}`,
      '2. Close idle sessions; pools reconnect on demand:',
      `   ${endIdle(target?.url.user)}`,
      `3. To prevent this from happening again: ${makeRoom(facts)}`,
      "4. Run doctor again with the superuser's URL: it shows which application holds the most.",
    ].join('\n'),
  }
}
