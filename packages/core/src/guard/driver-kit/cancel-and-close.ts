import { type Clock, systemClock } from '../../clock.ts'

/** How long to wait for the effect of each cancel request; after the last one the connection is closed while it is busy. */
const CANCEL_WAITS_MILLIS = [50, 100, 200, 400, 800, 1_600]

/** A released connection on which the server waits for the client is given up if no byte moves for this long. */
const STUCK_MILLIS = 50

/** What a driver sees of a connection that may be busy. */
export interface BusyConnection {
  /** Everything that was sent has been answered, or the connection is lost. */
  readonly isAtRest: boolean
  /** The server waits for the client: for the next read of a cursor, or the data of a COPY. */
  readonly waitsForClient: boolean
  /** What the server sends is not read: the socket is paused, or a stream of the caller's has taken it over. */
  readonly isUnread: boolean
  /** Bytes read and written so far. */
  readonly bytes: number
  /** Resolves when the connection is at rest. */
  settled(): Promise<void>
}

/** Waits until a connection is at rest. Resolves to false if that takes a caller that has gone. */
export async function comesToRest(connection: BusyConnection, clock: Clock = systemClock): Promise<boolean> {
  let atRest = false
  const settled = connection.settled().then(() => {
    atRest = true
  })
  for (;;) {
    const before = connection.bytes
    await Promise.race([settled, pause(STUCK_MILLIS, clock)])
    if (atRest) return true
    if ((connection.waitsForClient || connection.isUnread) && connection.bytes === before) return false
  }
}

/**
 * Cancels what a connection is running, before it is closed: a server goes on with a query long after its client has left. A
 * request that arrives before the server has begun with the query cancels nothing, so there may be several.
 *
 * @param cancel sends one request; what it returns is awaited.
 * @returns why it ended: `busy` after the last request, `waits-for-client` or `unread` as soon as a request can have no effect.
 */
export async function cancelUntilAtRest(
  connection: BusyConnection,
  cancel: (timeoutMillis: number) => Promise<void> | void,
  clock: Clock = systemClock,
): Promise<'at-rest' | 'waits-for-client' | 'unread' | 'busy'> {
  for (const millis of CANCEL_WAITS_MILLIS) {
    if (connection.isAtRest) return 'at-rest'
    if (connection.waitsForClient) return 'waits-for-client'
    const settled = connection.settled()
    await cancel(millis)
    if (connection.isUnread) return 'unread'
    await Promise.race([settled, pause(millis, clock)])
  }
  return 'busy'
}

function pause(millis: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(millis, resolve, { background: true })
  })
}
