import { session, sessions } from '../../doctor/testing/facts.ts'
import type { Session } from '../../sessions/session.ts'
import { reduce } from '../reduce.ts'
import { toText } from '../render/line.ts'
import { render } from '../render/render.ts'
import type { TopSample } from '../snapshot.ts'
import { type Effect, initialState, type KeyName, type TopEvent, type TopState } from '../state.ts'

export const TIME = '2026-11-29T14:03:11.000Z'

/** Session 100 holds a lock; 300 waits for it, and 301 behind 300. */
export const CHAIN: readonly Session[] = [
  ...sessions(3, { application: 'worker', stateSeconds: 30 }, 200),
  session(100, {
    state: 'idle in transaction',
    transactionSeconds: 74,
    stateSeconds: 74,
    query: 'update things set n = 1',
  }),
  session(300, {
    ...{ state: 'active', lockWaitSeconds: 70, blockedBy: [100], waitEvent: 'Lock: transactionid' },
    ...{ stateSeconds: 70, query: 'update things set n = 2' },
  }),
  session(301, {
    ...{ state: 'active', lockWaitSeconds: 60, blockedBy: [300], waitEvent: 'Lock: tuple', application: 'web' },
    ...{ stateSeconds: 60, query: 'update things set n = 3' },
  }),
]

export function sample(list: readonly Session[] = CHAIN, changes: Partial<TopSample> = {}): TopSample {
  return { time: TIME, server: { openSlots: 97, sessions: list, unlisted: 0, limits: [] }, apps: [], ...changes }
}

export function textEvents(text: string): readonly TopEvent[] {
  return [...text].map((each) => ({ type: 'text', text: each }))
}

export function key(name: KeyName): TopEvent {
  return { type: 'key', key: name }
}

/** Runs the program's states without a terminal. */
export class Driven {
  state: TopState
  effects: readonly Effect[] = []

  constructor(first: TopSample | undefined = sample(), size = { columns: 80, rows: 24 }) {
    this.state = initialState('postgresql://app@db/app', size)
    if (first) this.send({ type: 'sample', sample: first })
  }

  /** Events, or text that is typed. */
  send(...events: readonly (TopEvent | string)[]): this {
    for (const event of events.flatMap((each) => (typeof each === 'string' ? textEvents(each) : [each]))) {
      const reduction = reduce(this.state, event)
      this.state = reduction.state
      this.effects = reduction.effects
    }
    return this
  }

  /** The screen without styles. */
  get lines(): readonly string[] {
    return render(this.state).map((line) => toText(line, this.state.size.columns, (_, text) => text).trimEnd())
  }

  get text(): string {
    return this.lines.join('\n')
  }

  /** The line of the selected row. */
  get selected(): string {
    return this.lines.find((line) => line.startsWith('> ')) ?? ''
  }
}
