import { POOL_LABEL, SOURCE_LABEL } from '../observe/index.ts'
import { bySource, type Matchers, series } from './promql.ts'

/** One curve, or one curve for each value of its labels. */
export interface Query {
  readonly expr: string
  /** In Grafana's syntax, labels in double braces: all labels that distinguish the curves. */
  readonly legend: string
}

/** The series of the jobs and instances that are selected at the top of the dashboard. */
export function chosen(name: string, matchers: Matchers = {}): string {
  return series(name, { job: /$job/, instance: /$instance/, ...matchers })
}

/** The series of the selected jobs, instances and pools. */
export function ofPools(name: string): string {
  return chosen(name, { [POOL_LABEL]: /$pool/ })
}

/** The rate over a range that Grafana chooses so that it contains enough samples. */
export function rate(selector: string): string {
  return `rate(${selector}[$__rate_interval])`
}

/** Pools with the same name and job belong to one app. */
export function byPool(how: 'sum' | 'max' | 'min', expr: string, ...more: readonly string[]): string {
  return `${how} by (${['job', POOL_LABEL, ...more].join(', ')}) (${expr})`
}

/** All instances report the same values of one server, so that `max` or `min` selects any of them. */
export function byServer(how: 'max' | 'min', name: string, ...more: readonly string[]): string {
  return `${how} by (${['job', SOURCE_LABEL, ...more].join(', ')}) (${chosen(name)})`
}

/** The same for PgBouncer, which pgbouncer_exporter may report too. */
export function byPgBouncer(
  name: string,
  labels: readonly string[] = [],
  wrap: (selector: string) => string = (selector) => selector,
): string {
  return bySource('max', labels, (matchers) => wrap(chosen(name, matchers)))
}
