import { expect, test } from 'vitest'
import { type Need, OwnWrites } from './own-writes.ts'

/** Counts the questions to the primary. */
class Scene {
  readonly writes = new OwnWrites()
  asked = 0
  fails = false

  need(unit?: object): Need | undefined {
    return this.writes.need(unit, () => {
      const lsn = BigInt(++this.asked)
      const position = this.fails
        ? Promise.reject(new Error('the primary cannot be asked'))
        : Promise.resolve({ systemId: '7', timeline: 1, lsn })
      return { position, waitUntil: 0 }
    })
  }

  lease(unit?: object): { active: boolean } {
    const lease = { active: true }
    this.writes.add(lease, unit)
    return lease
  }
}

test('without a write, a read needs nothing', () => {
  expect(new Scene().need()).toBeUndefined()
})

test('the reads after a write ask once for its position', async () => {
  const scene = new Scene()
  scene.lease().active = false
  const needs = [scene.need(), scene.need(), scene.need()]
  expect(scene.asked).toBe(1)
  for (const need of needs) expect(await need?.position).toMatchObject({ lsn: 1n })
})

test('while the primary is in use, each read asks: every statement may have written', async () => {
  const scene = new Scene()
  const lease = scene.lease()
  scene.need()
  scene.need()
  lease.active = false
  const last = scene.need()
  expect(await last?.position).toMatchObject({ lsn: 3n })
  expect(scene.need()).toBe(last)
})

test('if the primary could not be asked, the next read asks again', async () => {
  const scene = new Scene()
  scene.fails = true
  scene.lease().active = false
  await expect(scene.need()?.position).rejects.toThrow()
  scene.fails = false
  expect(await scene.need()?.position).toMatchObject({ lsn: 2n })
})

test('a unit of work needs only its own writes, the process all', () => {
  const scene = new Scene()
  const [unit, other] = [{}, {}]
  scene.lease(unit).active = false
  expect(scene.need(other)).toBeUndefined()
  expect(scene.need(unit)).toBeDefined()
  expect(scene.need()).toBeDefined()
})

test('writes without reads are counted, however many they are', () => {
  const scene = new Scene()
  for (let i = 0; i < 10_000; i++) scene.lease().active = false
  expect(scene.need()).toBeDefined()
  expect(scene.asked).toBe(1)
})
