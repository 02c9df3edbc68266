import { expect } from 'vitest'
import { sample } from '../../matrix.ts'
import { findLeaks, type Output } from './find-leaks.ts'
import { withWarnings } from './watched.ts'

interface Shape {
  readonly name: string
  readonly secret: string
}

/** Most shapes wait for a connection that is refused. */
const AT_ONCE = 16

/** Shapes that each subject gets; in the full matrix all. */
export const SAMPLE_SIZE = 24

/** Gives shapes to the subject, and reports all leaks of all shapes at once. */
export async function expectNoLeaks<T extends Shape>(
  all: readonly T[],
  subject: (shape: T) => readonly Output[] | Promise<readonly Output[]>,
): Promise<void> {
  const shapes = sample(all, SAMPLE_SIZE)
  const leaks: string[] = []
  for (let start = 0; start < shapes.length; start += AT_ONCE) {
    const some = shapes.slice(start, start + AT_ONCE)
    let outputs: readonly (readonly Output[])[] = []
    const warnings = await withWarnings(async () => {
      outputs = await Promise.all(some.map(subject))
    })
    for (const [index, { name, secret }] of some.entries()) {
      const seen = outputs[index] ?? []
      expect(seen.length, name).toBeGreaterThan(0)
      leaks.push(...findLeaks(secret, [...seen, ...warnings]).map((leak) => `${name}: ${leak}`))
    }
  }
  expect(leaks.length, `secrets are shown:\n${leaks.slice(0, 400).join('\n')}`).toBe(0)
}
