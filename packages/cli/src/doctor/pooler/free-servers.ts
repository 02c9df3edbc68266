import type { Step } from '../../output/step.ts'
import { t } from '../../output/translate.ts'
import { nameSessions } from '../name-sessions.ts'
import { SAFE_PATH } from '../safe-path.ts'
import type { Holder, PoolState } from './pool-state.ts'

/** More names do not fit on a screen. */
const MAX_NAMED = 5
const MAX_PORTS = 3
/** PgBouncer has KILL_CLIENT since this version. */
const KILL_CLIENT_SINCE = [1, 24] as const

/** Names the processes that hold the pool's server connections; empty if the console does not link them. */
export function describeHolders(holders: readonly Holder[]): string {
  if (holders.length === 0) return ''
  const processes = byProcess(holders)
  const named = processes.slice(0, MAX_NAMED).map(describeProcess).join('; ')
  const more = processes.length - MAX_NAMED
  return more > 0 ? t` Held by ${named}; and ${more} more.` : t` Held by ${named}.`
}

/** The holders of each process, the process with the most first. Without a known process, address and name stand for it. */
function byProcess(holders: readonly Holder[]): readonly (readonly Holder[])[] {
  const groups = Map.groupBy(holders, ({ localProcess, address, application }) =>
    JSON.stringify(localProcess ? [localProcess.pid] : [address, application]),
  )
  return [...groups.values()].sort((a, b) => b.length - a.length)
}

function describeProcess(holders: readonly Holder[]): string {
  const [{ address, localProcess }] = holders as [Holder]
  const names = [...new Set(holders.map(({ application }) => application))].filter(Boolean)
  const name = [
    ...(localProcess ? [t`process ${localProcess.pid} on this machine (${localProcess.command})`] : []),
    ...(localProcess && names.length === 0 ? [] : [names.map(nameSessions).join(', ') || nameSessions('')]),
  ].join(', ')
  const ports = holders.map(({ port }) => port)
  const client = `${address}:${ports.slice(0, MAX_PORTS).join(', ')}${ports.length > MAX_PORTS ? ', ...' : ''}`
  const pids = holders.map(({ pid }) => pid).join(', ')
  const quiet = holders.flatMap(({ quietSeconds }) => quietSeconds ?? [])
  const last = quiet.length > 0 ? t`, last request ${Math.max(...quiet)} s ago` : ''
  return holders.length === 1
    ? t`${name} (client ${client}, server pid ${pids}${last})`
    : t`${name} (${holders.length} connections: client ${client}, server pids ${pids}${last})`
}

/** Steps that free the server connections of a pool. */
export function freeServers({ pool, database, holders }: PoolState, version: string): readonly Step[] {
  const [quietest] = holders
  if (!quietest) return []
  const pids = holders.map(({ pid }) => pid).join(', ')
  const place = database?.host ? `${database.host}:${database.port}/${database.database}` : pool.database
  const steps: Step[] = [
    {
      text: t`On PostgreSQL itself (${place}), as ${pool.user} or a superuser: end the sessions of this pool that hold a transaction open without doing anything.`,
      run: `${SAFE_PATH} select pid, pg_terminate_backend(pid) from pg_stat_activity where pid in (${pids}) and state like 'idle in transaction%' and state_change < now() - interval '1 second';`,
    },
    {
      text: t`If nothing comes free, they run queries: list these, and cancel the longest with pg_cancel_backend(pid).`,
      run: `${SAFE_PATH} select pid, now() - query_start as running, wait_event, query from pg_stat_activity where pid in (${pids}) and state = 'active' order by 2 desc;`,
    },
  ]
  if (quietest.clientId === null || !hasKillClient(version)) return steps
  return [
    ...steps,
    {
      text: t`Or on PgBouncer's console, as a user in admin_users: disconnect the client that has been quiet longest.`,
      run: `KILL_CLIENT ${quietest.clientId};`,
    },
  ]
}

function hasKillClient(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [sinceMajor, sinceMinor] = KILL_CLIENT_SINCE
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor)
}

/** For `data`: the same without prose. */
export function holdersAsData(holders: readonly Holder[]): readonly Readonly<Record<string, unknown>>[] {
  return holders.map((holder) => ({ ...holder }))
}
