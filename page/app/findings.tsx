import type { LockReport } from '@poolguard/core'
import type { JSX } from 'preact'
import type { FindingView, HolderView, PageDocument, PoolView } from '../src/index.ts'
import { caller, duration } from './format.ts'
import { t } from './language.ts'
import { describeSession } from './locks.tsx'
import { Section } from './section.tsx'

/** What is wrong, and what to change: the reasons of the pools' health, and the code that holds connections without using them. */
export function Findings({ shown }: { readonly shown: PageDocument }): JSX.Element {
  const unhealthy = shown.pools.entries.filter(({ status }) => status !== 'healthy')
  const { entries, total } = shown.findings
  const texts = new Set(entries.map(({ text }) => text))
  const blocked = shown.sources.flatMap(({ name, report }) =>
    typeof report === 'object' && report.kind === 'server' && report.locks.length > 0
      ? [{ name, locks: report.locks }]
      : [],
  )
  const leaking = shown.pools.entries.filter(({ suspectedLeaks }) => suspectedLeaks > 0)
  return (
    <Section id="findings" title={t('Findings')}>
      {unhealthy.length + leaking.length + blocked.length + total === 0 && (
        <p class="none">{t('No problems found.')}</p>
      )}
      <ul class="rows">
        {blocked.map(({ name, locks }) => (
          <Blocked key={`locks ${name}`} server={name} locks={locks} />
        ))}
        {leaking.map((pool) => (
          <Leaks key={`leaks ${pool.id}`} pool={pool} holders={shown.holders.entries} />
        ))}
        {unhealthy.map((pool) => (
          <HealthReasons key={`pool ${pool.id}`} pool={pool} explained={texts} />
        ))}
        {entries.map((finding) => (
          <Finding key={`${finding.pool} ${finding.kind} ${finding.label}`} finding={finding} />
        ))}
      </ul>
    </Section>
  )
}

/** @param props.explained findings that are shown themselves: the reasons repeat them. */
function HealthReasons(props: { readonly pool: PoolView; readonly explained: ReadonlySet<string> }): JSX.Element {
  const { name, status, reasons } = props.pool
  return (
    <li class={`finding ${status}`}>
      <p class="title">{t('Pool {0}', name)}</p>
      {reasons
        .filter((reason) => !props.explained.has(reason))
        .map((reason) => (
          <p key={reason}>{reason}</p>
        ))}
    </li>
  )
}

/** Sessions that wait for locks, and the sessions at the beginning of the chains. */
function Blocked({ server, locks }: { readonly server: string; readonly locks: readonly LockReport[] }): JSX.Element {
  const waiting = locks.filter(({ waitSeconds }) => waitSeconds !== null)
  const longest = Math.max(0, ...waiting.map(({ waitSeconds }) => waitSeconds ?? 0))
  const blockers = locks.filter(({ waitSeconds }) => waitSeconds === null)
  return (
    <li class="finding critical">
      <p class="title">
        {t('Sessions that wait for a lock: {0}', waiting.length)} <span class="pool">{server}</span>
      </p>
      <p>{t('The longest has waited for {0}.', duration(longest * 1_000))}</p>
      {blockers.map((blocker) => (
        <p key={blocker.pid}>{t('Session {0} blocks others: {1}', blocker.pid, describeSession(blocker))}</p>
      ))}
    </li>
  )
}

/** Connections that have probably never been released, by the routes that hold them. */
function Leaks(props: { readonly pool: PoolView; readonly holders: readonly HolderView[] }): JSX.Element {
  const { name, suspectedLeaks } = props.pool
  const suspects = props.holders.filter(({ pool, suspected }) => pool === name && suspected)
  const callers = [...new Set(suspects.map(({ label }) => caller(label)))]
  return (
    <li class="finding critical">
      <p class="title">
        {t('Suspected leaks: {0}', suspectedLeaks)} <span class="pool">{name}</span>
      </p>
      <p>{t('No byte has moved on these connections for a long time: they were probably never released.')}</p>
      {callers.length > 0 && <p>{t('Held by: {0}', callers.join(', '))}</p>}
    </li>
  )
}

function Finding({ finding }: { readonly finding: FindingView }): JSX.Element {
  return (
    <li class="finding advice">
      <p class="title">
        {titleOf(finding)} <span class="pool">{finding.pool}</span>
      </p>
      <p>{finding.text}</p>
    </li>
  )
}

function titleOf({ kind }: FindingView): string {
  switch (kind) {
    case 'idle-in-transaction':
      return t('A transaction waits for something other than the database')
    case 'held-without-statement':
      return t('A connection is held without being used')
    case 'event-loop':
      return t('Connections wait for a busy event loop')
    case 'repeated-statement':
      return t('The same statement many times in one request (N+1)')
    case 'parallel-checkouts':
      return t('One request takes several connections at once')
    default:
      return kind
  }
}
