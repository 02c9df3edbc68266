/** Where the time of leases went, in milliseconds. The four add up to the whole time. */
export interface LeaseTimes {
  /** Statements were running on the server. */
  readonly statementMillis: number
  /** A transaction was open, and no statement ran. */
  readonly idleInTransactionMillis: number
  /** No transaction was open, and no statement ran. */
  readonly idleMillis: number
  /** The event loop of this process was busy: an answer may have been waiting to be read, or the next statement to be sent. */
  readonly ownCpuMillis: number
}

/** What a lease was doing: the index in an array of times. */
export const LeaseTime = { Statement: 0, IdleInTransaction: 1, Idle: 2, OwnCpu: 3 } as const
export type LeaseTime = (typeof LeaseTime)[keyof typeof LeaseTime]
export const LEASE_TIMES = 4

/** An array that V8 stores as doubles from the beginning. */
export function doubles(length: number): number[] {
  return new Array<number>(length).fill(0.5).fill(0)
}

/** Adds the times of a lease, or of many. */
export function addTimes(sum: number[], times: readonly number[]): void {
  for (let i = 0; i < LEASE_TIMES; i++) sum[i] = (sum[i] as number) + (times[i] as number)
}

export function readTimes(times: readonly number[]): LeaseTimes {
  const [statementMillis = 0, idleInTransactionMillis = 0, idleMillis = 0, ownCpuMillis = 0] = times
  return { statementMillis, idleInTransactionMillis, idleMillis, ownCpuMillis }
}

export function totalMillis(times: readonly number[]): number {
  return (times[0] as number) + (times[1] as number) + (times[2] as number) + (times[3] as number)
}
