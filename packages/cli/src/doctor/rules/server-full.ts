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
    return [{ evidence: `${target?.url} answers: ${unreached.message}.`, why, change }]
  },
}

/** Four limits refuse in much the same words, and each is changed elsewhere. */
function explain(facts: Facts, message: string): { why: string; change: string } {
  const { target } = facts
  if (/no more connections allowed|client connections exceeded/.test(message)) {
    return {
      why: 'It is PgBouncer that refuses: max_client_conn, or a limit of this user or database, is reached. PostgreSQL may have room.',
      change:
        'Run `SHOW CLIENTS` and `SHOW POOLS` on its console (max_client_conn does not count for the database pgbouncer), raise max_client_conn in pgbouncer.ini, and `RELOAD`. Or lower the max of the pools.',
    }
  }
  const [, kind, name] = /too many connections for (role|database) "(.+)"/.exec(message) ?? []
  if (kind !== undefined && name !== undefined) {
    return {
      why: `The ${kind} has a CONNECTION LIMIT of its own, and it is reached. The server itself may have room.`,
      change: [
        '1. As a superuser, see who holds them:',
        `   ${WHO_HOLDS}`,
        '2. Lower the max of the pools (`poolguard plan`), or raise the limit, to what fits into max_connections:',
        `   ALTER ${kind.toUpperCase()} ${pg.escapeIdentifier(name)} CONNECTION LIMIT 50;`,
      ].join('\n'),
    }
  }
  return {
    why: 'Every new connection of this role is refused until somebody else lets go of one.',
    change: [
      '1. As a superuser, who is still let in (superuser_reserved_connections), see who holds them:',
      `   ${WHO_HOLDS}`,
      '2. End what is idle; pools open it again when they need it:',
      `   ${endIdle(target?.url.user)}`,
      `3. So that it does not come again: ${makeRoom(facts)}`,
      "4. Run doctor again with the superuser's URL: it says who takes the most.",
    ].join('\n'),
  }
}
