import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import { brokenThresholds, histogram, millis, type Thresholds } from '../stress/stress-outcome.ts'
import type { EndpointLoad } from './load-endpoint.ts'

/** Prints status codes, latencies and errors, and the thresholds that they exceed. */
export function endpointOutcome(title: string, load: EndpointLoad, thresholds: Thresholds): Outcome {
  const broken = brokenThresholds(load, thresholds)
  const { requests, failed, perSecond, elapsedMillis, p50Millis, p95Millis, p99Millis, maxMillis, statuses } = load
  const codes = statuses.map(({ status, count }) => `${count} x ${status}`).join(', ')
  const seconds = (elapsedMillis / 1_000).toFixed(1)
  const lines = [
    title,
    '',
    t`${requests} requests in ${seconds} s: ${failed} failed, ${perSecond.toFixed(0)} per second succeeded`,
    t`status codes: ${codes || '-'}`,
    t`latency: p50 ${millis(p50Millis)}, p95 ${millis(p95Millis)}, p99 ${millis(p99Millis)}, max ${millis(maxMillis)}`,
    ...histogram(load),
    ...load.errors.map(({ code, count, message }) => `${paint('red', `${count} x ${code}`)}: ${message}`),
    '',
    ...(broken.length > 0 ? broken.map((text) => paint('red', text)) : [paint('green', t`All thresholds met.`)]),
  ]
  return {
    exitCode: broken.length > 0 ? 1 : 0,
    text: lines.join('\n'),
    json: { passed: broken.length === 0, broken, ...load },
  }
}
