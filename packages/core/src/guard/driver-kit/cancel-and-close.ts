import { type Clock, systemClock } from '../../clock.ts'

/** How long to wait for the effect of each cancel request; after the last one the connection is closed even if it is busy. */
const CANCEL_WAITS_MILLIS = [50, 100, 200, 400, 800, 1_600]

/** A released connection on which the server waits for the client is closed if it transfers no byte for this long. */
const STUCK_MILLIS = 50

/** A connection that may be busy, as a driver sees it. */
export interface BusyConnection {
  /** The server has answered everything, or the connection is lost. */
  readonly isAtRest: boolean
  /** The server waits for the client, to fetch more rows of a cursor or to send the data of a COPY. */
  readonly waitsForClient: boolean
  /** The client does not read the server's data: the socket is paused, or a caller's stream has taken it over. */
  readonly isUnread: boolean
  /** Bytes read and written so far. */
  readonly bytes: number
  /** Resolves when the connection is at rest. */
  settled(): Promise<void>
}

/** Waits until a connection is at rest. Resolves to false if only a caller that has already released it could continue. */
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
 * Cancels the running query of a connection before it is closed, because a server continues a query long after its client has
 * disconnected. A cancel request that arrives before the query starts has no effect, so this sends several.
 *
 * @param cancel sends one request; its promise is awaited.
 * @returns why it stopped: `busy` after the last request, `waits-for-client` or `unread` as soon as a request can have no effect.
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

/** How long the server may take to accept one cancel request for a caller that has given up. */
const CANCEL_REQUEST_TIMEOUT_MILLIS = 5_000

/**
 * Cancels the running statement of a caller that has given up, so that the connection can be used again. Sends no request after the
 * statement has been answered.
 *
 * @param cancel sends one request; resolves when the server has acted on it, to false if that is unknown.
 * @returns false if the connection must be closed: a request may still be on its way, or the statement does not end.
 */
export async function cancelAbandoned(
  connection: BusyConnection,
  cancel: (timeoutMillis: number) => Promise<boolean>,
  clock: Clock = systemClock,
): Promise<boolean> {
  if (connection.isAtRest) return true
  let answered = false
  const settled = connection.settled().then(() => {
    answered = true
  })
  for (const millis of CANCEL_WAITS_MILLIS) {
    // The release decides about a connection on which the server waits for the client.
    if (answered || connection.waitsForClient || connection.isUnread) return true
    if (!(await cancel(CANCEL_REQUEST_TIMEOUT_MILLIS))) return false
    // A request that arrives before the statement has begun has no effect.
    if (!answered) await Promise.race([settled, pause(millis, clock)])
  }
  return answered
}

function pause(millis: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(millis, resolve, { background: true })
  })
}
