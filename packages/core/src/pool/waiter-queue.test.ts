import { describe, expect, test } from 'vitest'
import { Lane } from './lane.ts'
import { OverloadControl } from './overload-control.ts'
import { Waiter, WaiterQueue } from './waiter-queue.ts'

const lane = new Lane(new OverloadControl({ isAtLimit: () => false, connections: () => 0, random: () => 0 }))

function waiter(): Waiter<unknown> {
  return new Waiter(0, Infinity, { resolve: () => {}, reject: () => {} }, undefined, { lane })
}

function queueOf(...waiters: Waiter<unknown>[]): WaiterQueue<unknown> {
  const queue = new WaiterQueue<unknown>()
  for (const each of waiters) queue.push(each)
  return queue
}

describe('a queue of waiters', () => {
  test('returns them first in, first out, and then undefined', () => {
    const [a, b, c] = [waiter(), waiter(), waiter()]
    const queue = queueOf(a, b, c)

    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([a, b, c, undefined])
    expect(queue.size).toBe(0)
  })

  test('accepts a waiter at the front, with or without other waiters', () => {
    const [a, b, c] = [waiter(), waiter(), waiter()]
    const queue = queueOf()
    queue.unshift(b)
    queue.push(c)
    queue.unshift(a)

    expect([queue.size, queue.shift(), queue.shift(), queue.shift()]).toEqual([3, a, b, c])
  })

  test.each([0, 1, 2])('removes number %i of three without changing the order of the rest', (at) => {
    const waiters = [waiter(), waiter(), waiter()]
    const queue = queueOf(...waiters)
    const [leaving] = waiters.splice(at, 1)
    if (leaving) queue.remove(leaving)

    expect([...queue]).toEqual(waiters)
    expect(queue.size).toBe(2)
    expect(leaving?.queued).toBe(false)
  })

  test('unlinks a waiter through its neighbours, so that removal takes constant time at any position', () => {
    const [a, b, c] = [waiter(), waiter(), waiter()]
    const queue = queueOf(a, b, c)
    expect([b.previous, b.next]).toEqual([a, c])

    queue.remove(b)

    expect([a.next, c.previous]).toEqual([c, a])
    expect([b.previous, b.next]).toEqual([undefined, undefined])
  })

  test('ignores the removal of a waiter that has left already', () => {
    const [a, b] = [waiter(), waiter()]
    const queue = queueOf(a, b)
    queue.remove(a)
    queue.remove(a)

    expect([...queue]).toEqual([b])
    expect(queue.size).toBe(1)
  })

  test('accepts waiters after it was emptied', () => {
    const [a, b] = [waiter(), waiter()]
    const queue = queueOf(a)
    queue.shift()
    queue.push(b)

    expect([...queue]).toEqual([b])
  })

  test('can be iterated while the current waiter is removed', () => {
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
