import { clock } from '../../output/clock.ts'
import { describeSeconds } from '../../output/describe-seconds.ts'
import { BAR_WIDTH, shareBar, shareColour } from '../../output/share-bar.ts'
import { t } from '../../output/translate.ts'
import { countStates } from '../../sessions/client-process.ts'
import { clientSessions } from '../../sessions/session.ts'
import { shownSnapshot } from '../selection.ts'
import type { Outage, ServerReading, Snapshot } from '../snapshot.ts'
import type { TopState } from '../state.ts'
import { TABLE_IDS, titleOf } from '../tables/index.ts'
import type { Line, Span } from './line.ts'

/** Narrower terminals get a short bar, and have room for the figures. */
const WIDE_COLUMNS = 100
const SHORT_BAR_WIDTH = 5

/** The lines above the table; see `HEADER_LINES`. */
export function renderHeader(state: TopState): readonly Line[] {
  const snapshot = shownSnapshot(state)
  return [
    titleLine(state, snapshot),
    connectionsLine(snapshot?.server.last, state.size.columns),
    alarmLine(state.current, snapshot),
    tabsLine(state),
  ]
}

function titleLine({ address, frozen }: TopState, snapshot: Snapshot | undefined): Line {
  const time = snapshot ? clock(snapshot.time) : ''
  return [
    { text: 'poolguard top', style: 'bold' },
    `  ${time}  `,
    ...(frozen ? [{ text: t`[frozen]`, style: 'bold' } as const, '  '] : []),
    address,
  ]
}

function connectionsLine(server: ServerReading | undefined, columns: number): Line {
  if (!server) return []
  const { openSlots, unlisted } = server
  const sessions = clientSessions(server.sessions)
  const used = sessions.length + unlisted
  const share = openSlots > 0 ? used / openSlots : 1
  const { active, idle, idleInTransaction, waitingForLock, hidden } = countStates(sessions)
  return [
    t`${used} of ${openSlots} connections`,
    ' ',
    { text: shareBar(share, columns < WIDE_COLUMNS ? SHORT_BAR_WIDTH : BAR_WIDTH), style: shareColour(share) },
    ` ${Math.round(share * 100)} %  `,
    { text: t`${waitingForLock} blocked`, style: waitingForLock > 0 ? 'red' : 'dim' },
    t`, ${active - waitingForLock} active, ${idleInTransaction} in transaction, ${idle} idle`,
    ...(hidden > 0 ? [t`, ${hidden} hidden`] : []),
  ]
}

/** An outage, also while the screen is frozen; otherwise PgBouncer's and the apps' waiting callers. */
function alarmLine(current: Snapshot | undefined, shown: Snapshot | undefined): Line {
  const outage = current?.server.outage
  if (outage) return [{ text: describeOutage(outage), style: 'red' }]
  return shown ? [...describePooler(shown), ...describeApps(shown)] : [t`Connecting`]
}

function describeOutage({ since, error }: Outage): string {
  return t`Since ${clock(since)} no answer from the server; retrying. ${error}`
}

function describePooler({ pooler }: Snapshot): readonly Span[] {
  if (!pooler) return []
  if (pooler.outage) return [{ text: t`PgBouncer: ${pooler.outage.error}`, style: 'red' }, '  ']
  const pools = pooler.last?.pools ?? []
  const waiting = sum(pools.map(({ clientsWaiting }) => clientsWaiting))
  const wait = Math.max(0, ...pools.map(({ maxWaitMillis }) => maxWaitMillis)) / 1_000
  const servers = sum(pools.map(({ serversActive }) => serversActive))
  const clients = waiting > 0 ? t`${waiting} wait (${describeSeconds(wait)})` : t`${waiting} wait`
  return [t`PgBouncer: ${servers} in use, `, { text: clients, style: waiting > 0 ? 'red' : 'dim' }, '  ']
}

function describeApps({ apps }: Snapshot): readonly Span[] {
  if (apps.length === 0) return []
  const pools = apps.flatMap(({ last }) => last?.pools ?? [])
  const waiting = sum(pools.map((pool) => pool.waiting))
  const silent = apps.filter(({ outage }) => outage).length
  return [
    t`Apps: `,
    ...(silent > 0 ? [{ text: t`no answer from ${silent}`, style: 'red' } as const, ', '] : []),
    t`${sum(pools.map(({ inUse }) => inUse))} of ${sum(pools.map(({ max }) => max))} in use, `,
    { text: t`${waiting} wait`, style: waiting > 0 ? 'red' : 'dim' },
  ]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

function tabsLine({ table }: TopState): Line {
  return TABLE_IDS.flatMap((id, index): Line => {
    const text = `${index + 1} ${titleOf(id)}`
    return [id === table ? { text: `[${text}]`, style: 'bold' } : ` ${text} `]
  })
}
