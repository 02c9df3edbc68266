import { type Channel, channel } from 'node:diagnostics_channel'
import type { PoolEvent } from './pool-events.ts'

/** Published on `poolguard:acquire`. */
export interface AcquireMessage {
  readonly pool: string
  readonly waitedMillis: number
}

/** Published on `poolguard:release`. */
export interface ReleaseMessage {
  readonly pool: string
  readonly usedMillis: number
}

/** These two happen too often to be events for everyone; they are made only while somebody listens. */
export const acquireChannel: Channel<unknown, AcquireMessage> = channel('poolguard:acquire') as Channel<
  unknown,
  AcquireMessage
>
export const releaseChannel: Channel<unknown, ReleaseMessage> = channel('poolguard:release') as Channel<
  unknown,
  ReleaseMessage
>

const EVENT_TYPES: readonly PoolEvent['type'][] = [
  'opened',
  'connect-failed',
  'closed',
  'timeout',
  'saturated',
  'leak',
  'leak-returned',
  'deadlock',
  'dirty-release',
  'warning',
  'resized',
  'drained',
]
const eventChannels = new Map(EVENT_TYPES.map((type) => [type, channel(`poolguard:${type}`)]))

/** Publishes an event, with the pool's name, on `poolguard:` and its type (`node:diagnostics_channel`). */
export function publish(pool: string, event: PoolEvent): void {
  const listeners = eventChannels.get(event.type)
  if (listeners?.hasSubscribers) listeners.publish({ pool, ...event })
}
