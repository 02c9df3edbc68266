/** The work of a pool during one short period. */
export interface LimitSample {
  readonly millis: number
  /** Of this period, the time in which a caller waited, or a statement waited behind others. */
  readonly saturatedMillis: number
  /** Statements that were answered in that time. */
  readonly completions: number
  /** The same statements, each weighted by the time that such a statement usually takes. */
  readonly work: number
  /** Callers that have a connection or wait for one, at the end. */
  readonly demand: number
}

/** Adds up samples until they are enough to compare. */
export class SampleWindow implements LimitSample {
  millis = 0
  saturatedMillis = 0
  completions = 0
  work = 0
  /** The least of all samples. */
  demand: number = Infinity

  add(sample: LimitSample): void {
    this.millis += sample.millis
    this.saturatedMillis += sample.saturatedMillis
    this.completions += sample.completions
    this.work += sample.work
    this.demand = Math.min(this.demand, sample.demand)
  }

  clear(): void {
    this.millis = this.saturatedMillis = this.completions = this.work = 0
    this.demand = Infinity
  }

  /** The logarithm of the work per millisecond, so that a ratio of two rates is a difference. Without any work, as if half a unit was done. */
  get logRate(): number {
    return Math.log(Math.max(this.work, 0.5) / this.saturatedMillis)
  }
}
