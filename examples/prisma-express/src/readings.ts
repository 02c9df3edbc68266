import { inBatches } from '@poolguard/prisma'
import { prisma } from './prisma.ts'

export interface NewReading {
  readonly sensor: string
  readonly value: number
}

/**
 * Writes all readings or none, on one connection. A `Promise.all` over thousands of `create`s would occupy every connection of the
 * pool, and if one fails, the remaining rows would stay written.
 */
export async function addReadings(readings: readonly NewReading[]): Promise<number> {
  const written = await inBatches(prisma, readings, (tx, chunk) => tx.reading.createMany({ data: chunk }), {
    timeoutMillis: 30_000,
  })
  return written.reduce((sum, { count }) => sum + count, 0)
}

export function averages(): Promise<{ sensor: string; average: number | null }[]> {
  return prisma.reading
    .groupBy({ by: 'sensor', _avg: { value: true }, orderBy: { sensor: 'asc' } })
    .then((groups) => groups.map(({ sensor, _avg }) => ({ sensor, average: _avg.value })))
}

export function isReadings(body: unknown): body is NewReading[] {
  return Array.isArray(body) && body.every((each) => typeof each?.sensor === 'string' && Number.isFinite(each.value))
}
