import { expect, test } from 'vitest'
import { ManualClock } from '../../pool/testing/manual-clock.ts'
import { type BusyConnection, cancelAbandoned, cancelUntilAtRest, comesToRest } from './cancel-and-close.ts'

/** Longer than all waits together. */
const LONG_MILLIS = 60_000

async function inManualTime<T>(run: (clock: ManualClock) => Promise<T>): Promise<T> {
  const clock = new ManualClock()
  const outcome = run(clock)
  await clock.advance(LONG_MILLIS)
  return outcome
}

/** A connection whose server ends its query at one of the cancel requests. */
function busyConnection(given: Partial<BusyConnection> & { readonly endsAtRequest?: number } = {}) {
  const rest = Promise.withResolvers<void>()
  let requests = 0
  let isAtRest = false
  const connection: BusyConnection = {
    get isAtRest() {
      return isAtRest
    },
    waitsForClient: false,
    isUnread: false,
    bytes: 0,
    settled: () => rest.promise,
    ...given,
  }
  const end = () => {
    isAtRest = true
    rest.resolve()
  }
  const cancel = () => {
    requests++
    if (requests === given.endsAtRequest) end()
  }
  return { connection, cancel, end, requests: () => requests }
}

test('given a query that the first request misses, then it is cancelled again until the connection is at rest', async () => {
  const { connection, cancel, requests } = busyConnection({ endsAtRequest: 2 })

  expect(await inManualTime((clock) => cancelUntilAtRest(connection, cancel, clock))).toBe('at-rest')
  expect(requests()).toBe(2)
})

test('given a server that waits for the client, then no cancel request is sent', async () => {
  const { connection, cancel, requests } = busyConnection({ waitsForClient: true })

  expect(await inManualTime((clock) => cancelUntilAtRest(connection, cancel, clock))).toBe('waits-for-client')
  expect(requests()).toBe(0)
})

test('given answers that are not read, then one cancel request is sent, because its effect could not be seen', async () => {
  const { connection, cancel, requests } = busyConnection({ isUnread: true })

  expect(await inManualTime((clock) => cancelUntilAtRest(connection, cancel, clock))).toBe('unread')
  expect(requests()).toBe(1)
})

test('given a server that ignores every request, then the connection is closed while it is busy', async () => {
  const { connection, cancel, requests } = busyConnection()

  expect(await inManualTime((clock) => cancelUntilAtRest(connection, cancel, clock))).toBe('busy')
  expect(requests()).toBe(6)
})

test('given a server that waits for a client that has disconnected, then the connection never is at rest', async () => {
  expect(await inManualTime((clock) => comesToRest(busyConnection({ waitsForClient: true }).connection, clock))).toBe(
    false,
  )
  expect(await inManualTime((clock) => comesToRest(busyConnection({ isUnread: true }).connection, clock))).toBe(false)
})

test('given a stream that is still read, then waits until the stream ends', async () => {
  let bytes = 0
  let reads = 0
  const { connection, end } = busyConnection({ waitsForClient: true })
  const reading: BusyConnection = Object.defineProperty(connection, 'bytes', {
    get: () => {
      reads++
      if (reads === 4) end()
      return bytes++
    },
  })

  expect(await inManualTime((clock) => comesToRest(reading, clock))).toBe(true)
})

/** The server accepts each request. */
function accepting(cancel: () => void): () => Promise<boolean> {
  return async () => {
    cancel()
    return true
  }
}

test('an abandoned statement is cancelled until it is answered', async () => {
  const { connection, cancel, requests } = busyConnection({ endsAtRequest: 3 })
  const isSafe = await inManualTime((clock) => cancelAbandoned(connection, accepting(cancel), clock))

  expect([isSafe, requests()]).toEqual([true, 3])
})

test('an abandoned statement that was answered meanwhile gets no further request', async () => {
  const { connection, end, requests, cancel } = busyConnection()
  const request = async () => {
    cancel()
    end()
    return true
  }
  const isSafe = await inManualTime((clock) => cancelAbandoned(connection, request, clock))

  expect([isSafe, requests()]).toEqual([true, 1])
})

test('a connection at rest gets no cancel request', async () => {
  const { connection, end, requests, cancel } = busyConnection()
  end()

  expect(await cancelAbandoned(connection, accepting(cancel))).toBe(true)
  expect(requests()).toBe(0)
})

test('a connection is not safe while a cancel request may be on its way, or if its statement does not end', async () => {
  const { connection, requests } = busyConnection()
  expect(await inManualTime((clock) => cancelAbandoned(connection, async () => false, clock))).toBe(false)
  expect(await inManualTime((clock) => cancelAbandoned(connection, async () => true, clock))).toBe(false)
  expect(requests()).toBe(0)
})

test('an abandoned cursor is left to the release', async () => {
  const { connection, requests, cancel } = busyConnection({ waitsForClient: true })

  expect(await cancelAbandoned(connection, accepting(cancel))).toBe(true)
  expect(requests()).toBe(0)
})
