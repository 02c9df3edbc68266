import { DurationHistogram } from '../../pool/index.ts'
import { addTimes, doubles, LEASE_TIMES } from './lease-times.ts'

/** How long leases took, and where their time went. */
export class LeaseSums {
  readonly leases: DurationHistogram = new DurationHistogram()
  /** By `LeaseTime`. */
  readonly times: number[] = doubles(LEASE_TIMES)

  addLease(millis: number, times: readonly number[]): void {
    this.leases.record(millis)
    addTimes(this.times, times)
  }
}
