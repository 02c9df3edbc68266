import { describe, expect, test } from 'vitest'
import { Waiter, WaiterQueue } from './waiter-queue.ts'

function waiter(): Waiter<unknown> {
  return new Waiter(0, Infinity, { resolve: () => {}, reject: () => {} })
}

function queueOf(...waiters: Waiter<unknown>[]): WaiterQueue<unknown> {
  const queue = new WaiterQueue<unknown>()
  for (const each of waiters) queue.push(each)
  return queue
}

describe('a queue of waiters', () => {
  test('gives them back in the order they came, and then none', () => {
    const [a, b, c] = [waiter(), waiter(), waiter()]
    const queue = queueOf(a, b, c)

    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([a, b, c, undefined])
    expect(queue.size).toBe(0)
  })

  test('takes one before all others, be there any or not', () => {
    const [a, b, c] = [waiter(), waiter(), waiter()]
    const queue = queueOf()
    queue.unshift(b)
    queue.push(c)
    queue.unshift(a)

    expect([queue.size, queue.shift(), queue.shift(), queue.shift()]).toEqual([3, a, b, c])
  })

  test.each([0, 1, 2])('loses number %i of three without touching the order of the others', (at) => {
    const waiters = [waiter(), waiter(), waiter()]
    const queue = queueOf(...waiters)
    const [leaving] = waiters.splice(at, 1)
    if (leaving) queue.remove(leaving)

    expect([...queue]).toEqual(waiters)
    expect(queue.size).toBe(2)
    expect(leaving?.queued).toBe(false)
  })

  test('unlinks a waiter through its own neighbours, so that leaving takes the same time from anywhere', () => {
    const [a, b, c] = [waiter(), waiter(), waiter()]
    const queue = queueOf(a, b, c)
    expect([b.previous, b.next]).toEqual([a, c])

    queue.remove(b)

    expect([a.next, c.previous]).toEqual([c, a])
    expect([b.previous, b.next]).toEqual([undefined, undefined])
  })

  test('does nothing when one leaves who has left already', () => {
    const [a, b] = [waiter(), waiter()]
    const queue = queueOf(a, b)
    queue.remove(a)
    queue.remove(a)

    expect([...queue]).toEqual([b])
    expect(queue.size).toBe(1)
  })

  test('takes newcomers after it was emptied', () => {
    const [a, b] = [waiter(), waiter()]
    const queue = queueOf(a)
    queue.shift()
    queue.push(b)

    expect([...queue]).toEqual([b])
  })

  test('can be walked while the one at hand leaves', () => {
    const waiters = [waiter(), waiter(), waiter()]
    const queue = queueOf(...waiters)
    const seen: Waiter<unknown>[] = []
    for (const each of queue) {
      seen.push(each)
      queue.remove(each)
    }

    expect(seen).toEqual(waiters)
    expect(queue.size).toBe(0)
  })
})
