import type { LockReport } from '@poolguard/core'
import type { JSX } from 'preact'
import { Action } from './action.tsx'
import { duration } from './format.ts'
import { t } from './language.ts'

/** Sessions that wait for locks, each below the session that it waits for. */
export function Locks(props: {
  readonly locks: readonly LockReport[]
  /** The source whose sessions the page may terminate. */
  readonly controlled: string | undefined
}): JSX.Element {
  const { locks, controlled } = props
  const pids = new Set(locks.map(({ pid }) => pid))
  const first = locks.filter(({ blockedBy }) => blockedBy.every((pid) => !pids.has(pid)))
  // In a deadlock every session waits: then all are first.
  const roots = first.length > 0 ? first : locks
  return (
    <>
      <h3>{t('Blocked sessions')}</h3>
      <ul class="rows locks">
        {roots.map((lock) => (
          <Lock key={lock.pid} lock={lock} locks={locks} above={[]} controlled={controlled} />
        ))}
      </ul>
    </>
  )
}

function Lock(props: {
  readonly lock: LockReport
  readonly locks: readonly LockReport[]
  /** The pids of the sessions that are shown above it. */
  readonly above: readonly number[]
  readonly controlled: string | undefined
}): JSX.Element {
  const { lock, locks, controlled } = props
  const above = [...props.above, lock.pid]
  const waiting = locks.filter(({ pid, blockedBy }) => blockedBy.includes(lock.pid) && !above.includes(pid))
  return (
    <li class="lock">
      <span class="label">{t('Session {0}', lock.pid)}</span>
      <span class="pool">{lock.application === '' ? lock.role : lock.application}</span>
      <span class={`state ${(lock.state ?? '').replaceAll(' ', '-')}`}>{describeSession(lock)}</span>
      {waiting.length > 0 && <span class="state leak">{t('blocks {0}', waiting.length)}</span>}
      {controlled !== undefined && lock.startedAt !== null && (
        <Terminate source={controlled} pid={lock.pid} startedAt={lock.startedAt} />
      )}
      {lock.statement !== null && <code class="statement">{lock.statement}</code>}
      {waiting.length > 0 && (
        <ul>
          {waiting.map((each) => (
            <Lock key={each.pid} lock={each} locks={locks} above={above} controlled={controlled} />
          ))}
        </ul>
      )}
    </li>
  )
}

function Terminate(props: { readonly source: string; readonly pid: number; readonly startedAt: string }): JSX.Element {
  return (
    <Action
      name={t('Terminate')}
      question={t(
        'Terminate session {0}? Its transaction is rolled back, and its client loses the connection.',
        props.pid,
      )}
      action={() => ({ action: 'terminate', ...props })}
    />
  )
}

/** What a session does, and for how long. */
export function describeSession({ state, waitSeconds, transactionSeconds }: LockReport): string {
  if (waitSeconds !== null) return t('waits for a lock for {0}', duration(waitSeconds * 1_000))
  if (state === null) return t('its state is not visible for this role')
  return t('{0}, transaction open for {1}', state, duration((transactionSeconds ?? 0) * 1_000))
}
