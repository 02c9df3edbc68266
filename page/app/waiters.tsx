import type { JSX } from 'preact'
import type { Shown, WaiterView } from '../src/index.ts'
import { caller, count, duration } from './format.ts'
import { t } from './language.ts'
import { Section } from './section.tsx'

/** The callers that wait for a connection. */
export function Waiters({ waiters }: { readonly waiters: Shown<WaiterView> }): JSX.Element {
  const { entries, total } = waiters
  return (
    <Section id="waiters" title={t('Waiting callers')} total={total}>
      {total === 0 && <p class="none">{t('No caller waits.')}</p>}
      <ol class="rows">
        {entries.map((waiter) => (
          <li key={`${waiter.pool} ${waiter.label} ${waiter.lane}`} class="waiter">
            <span class="age" title={t('Waits for')}>
              {duration(waiter.waitedMillis)}
            </span>
            <span class="label">{caller(waiter.label)}</span>
            {waiter.count > 1 && <span class="count">× {count(waiter.count)}</span>}
            <span class="pool">{waiter.pool}</span>
            {waiter.lane !== null && <span class="lane">{t('lane {0}', waiter.lane)}</span>}
          </li>
        ))}
      </ol>
    </Section>
  )
}
