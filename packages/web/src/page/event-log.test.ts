import type { PoolEvent } from '@poolguard/core'
import { expect, test } from 'vitest'
import { EventLog } from './event-log.ts'

const timeout = (message: string) => ({ type: 'timeout', error: new Error(message) }) as unknown as PoolEvent

test('given a burst of equal events, then they are one entry with their number and the last message', () => {
  const log = new EventLog()
  for (let i = 0; i < 500; i++) log.add('orders', timeout(`waited ${i} ms`), 1_000 + i)
  log.add('reports', timeout('waited'), 1_500)
  log.add('orders', timeout('waited again'), 60_000)

  expect(log.read()).toEqual([
    expect.objectContaining({ pool: 'orders', count: 1, message: 'waited again', time: 60_000 }),
    expect.objectContaining({ pool: 'reports', count: 1 }),
    expect.objectContaining({ pool: 'orders', count: 500, message: 'waited 499 ms', time: 1_499 }),
  ])
  expect(new Set(log.read().map(({ id }) => id)).size).toBe(3)
})

test('given connections that open, or close in normal operation, then they are no entries; lost ones are', () => {
  const log = new EventLog()
  log.add('orders', { type: 'opened', millis: 3 }, 0)
  log.add('orders', { type: 'closed', reason: 'idle' }, 0)
  log.add('orders', { type: 'closed', reason: 'lost', error: new Error('terminating connection') }, 0)

  expect(log.read()).toEqual([expect.objectContaining({ type: 'closed', message: 'terminating connection' })])
})

test('given many events, then the latest hundred are kept', () => {
  const log = new EventLog()
  for (let i = 0; i < 1_000; i++) log.add(`pool ${i}`, { type: 'dirty-release' }, i)

  expect(log.read()).toHaveLength(100)
  expect(log.read()[0]).toMatchObject({ pool: 'pool 999' })
})
