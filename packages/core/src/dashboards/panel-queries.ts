import { POOL_LABEL, SOURCE_LABEL } from '../observe/index.ts'
import { bySource, type Matchers, series } from './promql.ts'

/** One curve, or one for each value of its labels. */
export interface Query {
  readonly expr: string
  /** In Grafana's form, with labels in double braces: all of those that tell the curves apart. */
  readonly legend: string
}

/** Of the jobs and instances that are chosen above the dashboard. */
export function chosen(name: string, matchers: Matchers = {}): string {
  return series(name, { job: /$job/, instance: /$instance/, ...matchers })
}

/** Of the pools that are chosen as well. */
export function ofPools(name: string): string {
  return chosen(name, { [POOL_LABEL]: /$pool/ })
}

/** Grafana chooses a range that has samples enough. */
export function rate(selector: string): string {
  return `rate(${selector}[$__rate_interval])`
}

/** Pools of one name are one app's where the job is, too. */
export function byPool(how: 'sum' | 'max' | 'min', expr: string, ...more: readonly string[]): string {
  return `${how} by (${['job', POOL_LABEL, ...more].join(', ')}) (${expr})`
}

/** Each instance tells the same of one server: the largest is as good as any. */
export function byServer(how: 'max' | 'min', name: string, ...more: readonly string[]): string {
  return `${how} by (${['job', SOURCE_LABEL, ...more].join(', ')}) (${chosen(name)})`
}

/** The same of PgBouncer, of which pgbouncer_exporter may tell as well. */
export function byPgBouncer(
  name: string,
  labels: readonly string[] = [],
  wrap: (selector: string) => string = (selector) => selector,
): string {
  return bySource('max', labels, (matchers) => wrap(chosen(name, matchers)))
}
