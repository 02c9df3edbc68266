import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { abortAfter, pause, systemClock, withTimeout } from './clock.ts'

/** The timer functions that Vitest, Jest and Sinon fake. */
const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const
const HOUR_MILLIS = 3_600_000

function blockEventLoop(millis: number): void {
  const until = systemClock.now() + millis
  while (systemClock.now() < until);
}

describe('after the event loop was blocked', () => {
  test('an overdue deadline fires only after the input that has arrived is read', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[net.Socket]>
    const reader = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
    const [writer] = await accepted
    const happened: string[] = []
    reader.on('data', () => happened.push('answer'))
    const rung = new Promise<void>((resolve) => {
      systemClock.after(10, () => {
        happened.push('deadline')
        resolve()
      })
    })
    writer.write('answer')
    blockEventLoop(100)
    await rung
    reader.destroy()
    writer.destroy()
    server.close()

    expect(happened).toEqual(['answer', 'deadline'])
  })

  test('an extended deadline can be cancelled', async () => {
    let rung = false
    const cancel = systemClock.after(10, () => {
      rung = true
    })
    blockEventLoop(100)
    setTimeout(cancel)
    await pause(300)

    expect(rung).toBe(false)
  })

  test('the blocked time is known, and counted once for all late timers', async () => {
    const began = systemClock.now()
    const before = systemClock.blockedMillis
    const rung = [10, 11, 12].map((millis) => pause(millis))
    blockEventLoop(200)
    await Promise.all(rung)
    const blocked = systemClock.blockedMillis - before

    expect(blocked).toBeGreaterThan(150)
    expect(blocked).toBeLessThanOrEqual(systemClock.now() - began)
  })
})

describe('given fake timers', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.resetModules()
  })

  test('that are not advanced, then the real time passes', async () => {
    vi.useFakeTimers({ toFake: [...FAKED, 'Date', 'performance'] })
    const before = systemClock.now()
    await pause(5)

    expect(systemClock.now()).toBeGreaterThan(before)
  })

  test('that jump ahead, then nothing is overdue', async () => {
    vi.useFakeTimers({ toFake: [...FAKED, 'Date', 'performance'] })
    const answer = Promise.withResolvers<string>()
    const signal = abortAfter(60_000)
    const answered = withTimeout(answer.promise, 60_000, () => new Error('too late'))
    vi.advanceTimersByTime(HOUR_MILLIS)
    await pause(5)
    answer.resolve('in time')

    await expect(answered).resolves.toBe('in time')
    expect(signal.aborted).toBe(false)
  })

  test('that were installed before the module was loaded, then the real time passes', async () => {
    vi.useFakeTimers({ toFake: [...FAKED, 'Date', 'performance'] })
    vi.resetModules()
    const late = await import('./clock.ts')
    const before = late.systemClock.now()
    await late.pause(5)
    await new Promise<void>((resolve) => late.setImmediate(() => resolve()))

    expect(late.systemClock.now()).toBeGreaterThan(before)
  })
})

test('given no answer before the timeout, then the promise rejects', async () => {
  await expect(withTimeout(new Promise(() => {}), 1, () => new Error('too late'))).rejects.toThrow('too late')
})

test('abortAfter aborts its signal like AbortSignal.timeout', async () => {
  const signal = abortAfter(1)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))

  expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
})
