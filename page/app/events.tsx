import type { JSX } from 'preact'
import type { EventView } from '../src/index.ts'
import { duration, timeOfDay } from './format.ts'
import { t } from './language.ts'
import { Section } from './section.tsx'

/** What happened in the last minutes, the latest first. */
export function Events({ events }: { readonly events: readonly EventView[] }): JSX.Element {
  return (
    <Section id="events" title={t('Events')}>
      {events.length === 0 && <p class="none">{t('Nothing has happened yet.')}</p>}
      <ol class="rows">
        {events.map((event) => (
          <li key={event.id} class="event">
            <time dateTime={new Date(event.time).toISOString()}>{timeOfDay(event.time)}</time>
            <span class="pool">{event.pool}</span>
            <span class="what">
              {describe(event)}
              {event.count > 1 && <span class="count"> × {event.count}</span>}
            </span>
            {event.label !== null && <span class="label">{event.label}</span>}
            {event.message !== null && <span class="message">{event.message}</span>}
            {event.stack !== null && (
              <details>
                <summary>{t('Stack')}</summary>
                <pre>{event.stack}</pre>
              </details>
            )}
          </li>
        ))}
      </ol>
    </Section>
  )
}

function describe({ type, millis, detail }: EventView): string {
  const time = duration(millis ?? 0)
  switch (type) {
    case 'connect-failed':
      return t('A connection could not be opened')
    case 'closed':
      return t('A connection was lost')
    case 'timeout':
      return t('A caller got no connection in time')
    case 'saturated':
      return t('A caller was rejected: too many callers wait')
    case 'shed':
      return t('A caller was rejected: the pool is overloaded')
    case 'leak':
      return t('Suspected leak: no activity for {0}', time)
    case 'leak-returned':
      return t('A suspected leak was released after {0}', time)
    case 'long-query':
      return t('A query has been running for {0}: {1}', time, detail ?? '')
    case 'deadlock':
      return t('Deadlock: every holder of a connection waits for another one')
    case 'pipeline-stall':
      return t('Statements wait behind one that has been running for {0}: {1}', time, detail ?? '')
    case 'dirty-release':
      return t('A connection was released inside a transaction, which was rolled back')
    case 'query-after-release':
      return t('A query was sent on a released connection')
    case 'resized':
      return t('The pool was resized: {0}', detail ?? '')
    case 'action':
      return t('A user of this page {0}', detail ?? '')
    case 'drained':
      return t('The pool was closed')
    default:
      return t('Warning')
  }
}
