import type { Held } from '../fault-table/messages.ts'

/** By how much the end of a run may exceed its beginning: caches that fill, and what happens to be active. */
const ALLOWED: Readonly<Record<keyof Held, { readonly factor: number; readonly plus: number; readonly unit: string }>> =
  {
    heapBytes: { factor: 1.15, plus: 2 * 1024 * 1024, unit: 'bytes of heap' },
    resources: { factor: 1, plus: 8, unit: 'active handles and requests' },
    listeners: { factor: 1, plus: 2, unit: 'listeners of the process' },
  }

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/**
 * What grows: the median of the last third of the samples against that of the first third.
 * The first sample does not count, because code is still being compiled then.
 *
 * @returns a sentence for each; empty with fewer than three samples more.
 */
export function growthOf(samples: readonly Held[]): readonly string[] {
  const warm = samples.slice(1)
  const third = Math.floor(warm.length / 3)
  if (third === 0) return []
  return Object.entries(ALLOWED).flatMap(([key, { factor, plus, unit }]) => {
    const values = warm.map((held) => held[key as keyof Held])
    const [before, after] = [median(values.slice(0, third)), median(values.slice(-third))]
    return after > before * factor + plus ? [`${unit} grow from ${before} to ${after}`] : []
  })
}
