import type { Outcome } from '../outcome.ts'
import { alignRight } from '../output/layout.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import type { LoadResult } from './run-load.ts'
import type { Figures } from './tally.ts'

export interface Thresholds {
  /** Share of requests that may fail, between 0 and 1. */
  readonly maxErrors: number
  readonly maxP99Millis: number | undefined
}

const BAR_WIDTH = 40
const BARS = '▁▂▃▄▅▆▇█'

/** Prints the figures and the thresholds that they exceed. */
export function stressOutcome(title: string, result: LoadResult, thresholds: Thresholds): Outcome {
  const broken = brokenThresholds(result, thresholds)
  const { requests, failed, perSecond, elapsedMillis, p50Millis, p90Millis, p99Millis, maxMillis } = result
  const latency = [
    `p50 ${millis(p50Millis)}`,
    `p90 ${millis(p90Millis)}`,
    `p99 ${millis(p99Millis)}`,
    `max ${millis(maxMillis)}`,
  ]
  const lines = [
    title,
    '',
    t`${requests} requests in ${(elapsedMillis / 1_000).toFixed(1)} s: ${failed} failed, ${perSecond.toFixed(0)} per second succeeded`,
    t`latency: ${latency.join(', ')}`,
    ...histogram(result),
    ...result.errors.map(({ code, count, message }) => `${paint('red', `${count} x ${code}`)}: ${message}`),
    ...chart(result.serverConnections),
    '',
    ...(broken.length > 0 ? broken.map((text) => paint('red', text)) : [paint('green', t`All thresholds met.`)]),
  ]
  return {
    exitCode: broken.length > 0 ? 1 : 0,
    text: lines.join('\n'),
    json: { passed: broken.length === 0, broken, ...result },
  }
}

/** The thresholds that the figures exceed, a sentence each. */
export function brokenThresholds(
  { requests, failed, p99Millis }: Figures,
  { maxErrors, maxP99Millis }: Thresholds,
): string[] {
  const share = requests > 0 ? failed / requests : 1
  const percent = (value: number) => `${Number((value * 100).toPrecision(3))} %`
  return [
    ...(requests === failed ? [t`No request succeeded.`] : []),
    ...(share > maxErrors
      ? [t`${percent(share)} of the requests failed, more than --max-errors (${percent(maxErrors)}).`]
      : []),
    ...(maxP99Millis !== undefined && p99Millis !== null && p99Millis > maxP99Millis
      ? [t`The p99 latency is ${millis(p99Millis)}, above --max-p99 (${maxP99Millis} ms).`]
      : []),
  ]
}

/** From the first non-empty bucket to the last. */
export function histogram({ buckets }: Figures): string[] {
  const filled = buckets.map(({ count }) => count > 0)
  const max = Math.max(...buckets.map(({ count }) => count))
  return buckets
    .slice(filled.indexOf(true) >= 0 ? filled.indexOf(true) : buckets.length, filled.lastIndexOf(true) + 1)
    .map(({ upToMillis, count }) => {
      const label = upToMillis === Infinity ? t`longer` : `<= ${upToMillis} ms`
      const bar = '#'.repeat(Math.max(count > 0 ? 1 : 0, Math.round((count / max) * BAR_WIDTH)))
      return `  ${alignRight(label, 10)}  ${bar} ${count}`
    })
}

function chart(samples: readonly number[]): string[] {
  if (samples.length === 0) return []
  const max = Math.max(...samples)
  const line = samples.map((value) => BARS[Math.min(7, Math.floor((value / Math.max(1, max)) * 7.99))]).join('')
  return [t`server connections over time: ${line}  (${Math.min(...samples)} to ${max})`]
}

/** A latency for people. */
export function millis(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(value < 10 ? 2 : 0)} ms`
}
