import type { LeaseReport, PoolEvent } from '@poolguard/core'
import type { EventView } from '@poolguard/page'

const MAX_EVENTS = 100
/** An equal event within this time counts with the one before, so that a burst does not displace everything else. */
const BURST_MILLIS = 10_000

/** The latest events of the process's pools: a bounded list. */
export class EventLog {
  #events: EventView[] = []
  #count = 0

  /** Connections that open and close in normal operation are left out. */
  add(pool: string, event: PoolEvent, now: number): void {
    if (event.type === 'opened' || (event.type === 'closed' && event.reason !== 'lost')) return
    this.#add({ pool, type: event.type, ...contentOf(event) }, now)
  }

  /** An action of the page's users. */
  addAction(subject: string, text: string, now: number): void {
    this.#add({ ...NOTHING, pool: subject, type: 'action', detail: text }, now)
  }

  #add(shown: Omit<EventView, 'id' | 'time' | 'count'>, now: number): void {
    const same = this.#events.findIndex((each) => now - each.time < BURST_MILLIS && isSame(each, shown))
    const [before] = same === -1 ? [] : this.#events.splice(same, 1)
    this.#events.unshift({ ...shown, id: before?.id ?? ++this.#count, time: now, count: (before?.count ?? 0) + 1 })
    this.#events.length = Math.min(this.#events.length, MAX_EVENTS)
  }

  /** The latest first. */
  read(): readonly EventView[] {
    return this.#events
  }
}

type Content = Pick<EventView, 'label' | 'message' | 'stack' | 'millis' | 'detail'>

const NOTHING: Content = { label: null, message: null, stack: null, millis: null, detail: null }

function contentOf(event: PoolEvent): Content {
  switch (event.type) {
    case 'connect-failed':
    case 'closed':
      return { ...NOTHING, message: messageOf(event.error) }
    case 'timeout':
    case 'saturated':
    case 'shed':
      return { ...NOTHING, message: event.error.message }
    case 'leak':
      return { ...NOTHING, ...callerOf(event.lease), millis: event.lease.quietMillis }
    case 'leak-returned':
      return { ...NOTHING, ...callerOf(event.lease), millis: event.lease.heldMillis }
    case 'long-query':
      return { ...NOTHING, ...callerOf(event.lease), millis: event.query.runningMillis, detail: event.query.text }
    case 'pipeline-stall':
      return { ...NOTHING, millis: event.runningMillis, detail: event.statement }
    case 'query-after-release':
      return { ...NOTHING, stack: event.stack }
    case 'warning':
      return { ...NOTHING, message: event.message }
    case 'resized':
      return { ...NOTHING, detail: `min ${event.min}, max ${event.max}` }
    default:
      return NOTHING
  }
}

function callerOf({ label, stack }: LeaseReport): Pick<Content, 'label' | 'stack'> {
  return { label, stack }
}

function messageOf(error: unknown): string | null {
  return error instanceof Error ? error.message : null
}

/** Texts with numbers that change do not make an event another one. */
function isSame(a: EventView, b: Pick<EventView, 'pool' | 'type' | 'label' | 'detail'>): boolean {
  return a.pool === b.pool && a.type === b.type && a.label === b.label && a.detail === b.detail
}
