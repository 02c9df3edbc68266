import { describe, expect, test } from 'vitest'
import { HostMemory } from './host-memory.ts'

function makeMemory() {
  const clock = { now: 1_000 }
  return { clock, memory: new HostMemory(() => clock.now) }
}

describe('the memory of hosts', () => {
  test('keeps the order of hosts that have not failed', () => {
    const { memory } = makeMemory()
    expect(memory.order(['a', 'b'])).toEqual(['a', 'b'])
    memory.succeeded('b')
    expect(memory.order(['a', 'b'])).toEqual(['a', 'b'])
    expect(memory.home).toBe('b')
  })

  test('puts a failed host last until it has rested, twice as long after each failure, and forgets it after a success', () => {
    const { clock, memory } = makeMemory()
    memory.failed('a', 'unreachable', new Error('unreachable'))
    expect(memory.order(['a', 'b'])).toEqual(['b', 'a'])
    clock.now += 999
    expect(memory.order(['a', 'b'])).toEqual(['b', 'a'])
    clock.now += 1
    expect(memory.order(['a', 'b'])).toEqual(['a', 'b'])

    memory.failed('a', 'unreachable', new Error('unreachable'))
    clock.now += 1_999
    expect(memory.order(['a', 'b'])).toEqual(['b', 'a'])
    memory.succeeded('a')
    expect(memory.order(['a', 'b'])).toEqual(['a', 'b'])
    expect(memory.failureOf('a')).toBeUndefined()
    expect(memory.errorOf('a')).toBeUndefined()
  })

  test('never lets a host rest for more than 30 seconds', () => {
    const { clock, memory } = makeMemory()
    for (let failure = 0; failure < 40; failure++) memory.failed('a', 'unreachable', new Error('unreachable'))
    clock.now += 30_000
    expect(memory.order(['a', 'b'])).toEqual(['a', 'b'])
  })

  test('tries the host first whose last attempt is the longest ago, if all have failed', () => {
    const { clock, memory } = makeMemory()
    memory.failed('a', 'unreachable', new Error('unreachable'))
    clock.now += 10
    memory.failed('b', 'unsuitable', new Error('unsuitable'))
    expect(memory.order(['b', 'a'])).toEqual(['a', 'b'])
  })

  test('lets one attempt find out whether a host in doubt is still there, and the others wait', () => {
    const { memory } = makeMemory()
    memory.doubted('a')
    expect(memory.order(['a', 'b'])).toEqual(['a', 'b'])
    expect(memory.failureOf('a')).toBeUndefined()
    expect(memory.waitMillis('a')).toBe(0)
    memory.tried('a')
    memory.doubted('a')
    expect(memory.waitMillis('a')).toBe(500)
    memory.succeeded('a')
    expect(memory.waitMillis('a')).toBe(0)
  })

  test('allows two attempts per second at a failed host, and any number at others', () => {
    const { clock, memory } = makeMemory()
    expect(memory.waitMillis('a')).toBe(0)
    memory.failed('a', 'unreachable', new Error('unreachable'))
    expect(memory.waitMillis('a')).toBe(500)
    clock.now += 500
    expect(memory.waitMillis('a')).toBe(0)
    memory.tried('a')
    expect(memory.waitMillis('a')).toBe(500)
    memory.succeeded('a')
    expect(memory.waitMillis('a')).toBe(0)
  })
})
