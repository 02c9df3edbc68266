import { describeAddress } from '@poolguard/core/postgres'
import pg from 'pg'
import type { LocalHolder } from '../../database/find-local-processes.ts'
import { joinSentences, t } from '../../output/translate.ts'
import { endIdle, endSessionsOf, WHO_HOLDS } from '../end-sessions.ts'
import type { Facts } from '../facts.ts'
import { makeRoom } from '../make-room.ts'
import type { Finding, Rule, Step } from '../rule.ts'

/** More of them are in the JSON. */
const MAX_PORTS = 3

export const serverFull: Rule = {
  id: 'server-full',
  title: 'The server has no connection left',
  severity: 'critical',
  check: (facts) => {
    const { unreached, target } = facts
    if (unreached?.failure !== 'full') return []
    const { message, localHolders = [] } = unreached
    const { why, now, change, limit } = explain(facts, message)
    const rejected = t`${target && describeAddress(target.url)} rejected the connection: ${message}.`
    const [largest] = localHolders
    return [
      {
        evidence: joinSentences(rejected, largest && describeHolder(largest)),
        why,
        now,
        change,
        data: { message, ...limit, localProcesses: localHolders },
      },
    ]
  },
}

interface Explanation extends Pick<Finding, 'why' | 'change'> {
  readonly now: readonly Step[]
  /** The limit that is reached, for programs. */
  readonly limit: Readonly<Record<string, string>>
}

/** Four limits produce similar messages, and each one is raised in a different place. */
function explain(facts: Facts, message: string): Explanation {
  if (/no more connections allowed|client connections exceeded/.test(message)) return explainPooler()
  const [, kind, name] = /too many connections for (role|database) "(.+)"/.exec(message) ?? []
  if (kind !== undefined && name !== undefined) return explainLimit(facts, kind, name)
  return {
    why: t`The server rejects every new connection of this role until another session ends.`,
    now: [
      ...endingSteps(
        facts,
        { role: facts.target?.url.user },
        t`As a superuser, who can still log in (superuser_reserved_connections):`,
      ),
      ...lookSteps(facts),
    ],
    change: makeRoom(facts),
    limit: { limit: 'server' },
  }
}

function explainPooler(): Explanation {
  return {
    why: t`PgBouncer, not PostgreSQL, rejects the connection: max_client_conn or a limit of this user or database is reached. PostgreSQL may have free connections.`,
    now: [],
    change: t`Run \`SHOW CLIENTS\` and \`SHOW POOLS\` on its console (the console is open even at max_client_conn), raise max_client_conn in pgbouncer.ini, and \`RELOAD\`. Or lower the max of the pools.`,
    limit: { limit: 'max_client_conn' },
  }
}

function explainLimit(facts: Facts, kind: string, name: string): Explanation {
  return {
    why:
      kind === 'role'
        ? t`The role has reached its own CONNECTION LIMIT. The server may have free connections.`
        : t`The database has reached its own CONNECTION LIMIT. The server may have free connections.`,
    now: [
      ...endingSteps(facts, { [kind]: name }, t`As a superuser, or as another role with pg_signal_backend:`),
      ...lookSteps(facts),
    ],
    change: t`Lower the max of the pools (\`poolguard plan\`), or raise the limit. doctor with a superuser's URL prints \`ALTER ${kind.toUpperCase()} ${pg.escapeIdentifier(name)} CONNECTION LIMIT\` with a number that fits the server.`,
    limit: { limit: kind, [kind]: name },
  }
}

/** The most connections of this machine are named; without them, all that have been idle for a minute. */
function endingSteps({ unreached }: Facts, of: Parameters<typeof endIdle>[0], who: string): readonly Step[] {
  const [largest] = unreached?.localHolders ?? []
  const longIdle = {
    text: t`${who} end sessions that have been idle for a minute, also in a transaction.`,
    run: endIdle(of),
  }
  if (!largest) return [longIdle]
  return [
    {
      text: t`${who} end the idle sessions of process ${largest.pid}; a pool opens a connection again when it needs one.`,
      run: endSessionsOf(largest, of),
    },
    { text: t`Without such a role: stop the process, which closes its connections.`, run: `kill ${largest.pid}` },
  ]
}

function lookSteps({ target }: Facts): readonly Step[] {
  const address = target && describeAddress(target.url.with({ user: 'postgres', password: undefined, parameters: [] }))
  return [
    ...(address
      ? [{ text: t`As a superuser, see who holds the connections:`, run: `npx poolguard doctor ${address}` }]
      : []),
    { text: t`The same in SQL:`, run: WHO_HOLDS },
  ]
}

function describeHolder({ pid, command, address, ports }: LocalHolder): string {
  const shown = ports.slice(0, MAX_PORTS).join(', ')
  const more = ports.length - MAX_PORTS
  const client = more > 0 ? t`${address}:${shown} and ${more} more ports` : `${address}:${shown}`
  return t`On this machine, process ${pid} (${command}) holds the most connections to it: ${ports.length}, from ${client}.`
}
