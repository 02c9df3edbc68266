import type { JSX } from 'preact'
import type { Shown, WaiterView } from '../src/index.ts'
import { caller, duration } from './format.ts'
import { t } from './language.ts'
import { Section } from './section.tsx'

/** The callers that wait for a connection. */
export function Waiters({ waiters }: { readonly waiters: Shown<WaiterView> }): JSX.Element {
  const { entries, total } = waiters
  return (
    <Section id="waiters" title={t('Waiting callers')} total={total} shown={entries.length}>
      {total === 0 && <p class="none">{t('No caller waits.')}</p>}
      <ol class="rows">
        {entries.map((waiter, position) => (
          <li key={position} class="waiter">
            <span class="age" title={t('Waits for')}>
              {duration(waiter.waitedMillis)}
            </span>
            <span class="label">{caller(waiter.label)}</span>
            <span class="pool">{waiter.pool}</span>
          </li>
        ))}
      </ol>
    </Section>
  )
}
