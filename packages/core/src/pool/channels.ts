import type { Channel } from 'node:diagnostics_channel'
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

const { channel } = process.getBuiltinModule('node:diagnostics_channel')

/** Acquires and releases are too frequent for pool events; messages are created only if the channel has subscribers. */
export const acquireChannel: Channel<unknown, AcquireMessage> = channel('poolguard:acquire') as Channel<
  unknown,
  AcquireMessage
>
export const releaseChannel: Channel<unknown, ReleaseMessage> = channel('poolguard:release') as Channel<
  unknown,
  ReleaseMessage
>

/** A record over all event types, so that the compiler reports a missing channel. */
export const eventChannels: Readonly<Record<PoolEvent['type'], Channel>> = {
  opened: channel('poolguard:opened'),
  'connect-failed': channel('poolguard:connect-failed'),
  closed: channel('poolguard:closed'),
  timeout: channel('poolguard:timeout'),
  saturated: channel('poolguard:saturated'),
  shed: channel('poolguard:shed'),
  leak: channel('poolguard:leak'),
  'leak-returned': channel('poolguard:leak-returned'),
  'long-query': channel('poolguard:long-query'),
  deadlock: channel('poolguard:deadlock'),
  'pipeline-stall': channel('poolguard:pipeline-stall'),
  'dirty-release': channel('poolguard:dirty-release'),
  'query-after-release': channel('poolguard:query-after-release'),
  warning: channel('poolguard:warning'),
  resized: channel('poolguard:resized'),
  drained: channel('poolguard:drained'),
}

/** Publishes an event with the pool's name on the channel `poolguard:<type>` (`node:diagnostics_channel`). */
export function publish(pool: string, event: PoolEvent): void {
  const listeners = eventChannels[event.type]
  if (listeners.hasSubscribers) listeners.publish({ pool, ...event })
}

/** Calls the listener for each event of any pool of the process. */
export function onPoolEvents(listener: (pool: string, event: PoolEvent) => void): void {
  for (const channel of Object.values(eventChannels)) {
    channel.subscribe((message) => {
      const { pool, ...event } = message as { pool: string } & PoolEvent
      listener(pool, event as PoolEvent)
    })
  }
}
