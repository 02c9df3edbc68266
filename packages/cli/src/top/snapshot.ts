import type { ConnectionLimit } from '../database/read-limits.ts'
import type { ServerMissed, ServerMoment } from '../database/read-server-moment.ts'
import type { AppMissed, AppSample } from '../endpoint/read-pool-stats.ts'
import type { PoolerMissed, PoolerSample } from '../monitor/watch-pooler.ts'

export interface ServerReading extends ServerMoment {
  readonly limits: readonly ConnectionLimit[]
}

/** One answer of everything that `top` watches. */
export interface TopSample {
  /** ISO 8601. */
  readonly time: string
  readonly server: ServerReading | ServerMissed
  /** Undefined without a pooler. */
  readonly pooler?: PoolerSample | PoolerMissed | undefined
  readonly apps: readonly { readonly address: string; readonly sample: AppSample | AppMissed }[]
}

/** What a source said last, which stays in view while the source does not answer. */
export interface Source<T> {
  readonly last: T | undefined
  readonly outage: Outage | undefined
}

export interface Outage {
  /** ISO 8601. */
  readonly since: string
  readonly error: string
}

/** What the screen shows. */
export interface Snapshot {
  /** Of the last sample, ISO 8601. */
  readonly time: string
  readonly server: Source<ServerReading>
  readonly pooler: Source<PoolerSample> | undefined
  readonly apps: readonly (Source<AppSample> & { readonly address: string })[]
}

/** Adds a sample to what the screen shows. */
export function withSample(before: Snapshot | undefined, { time, server, pooler, apps }: TopSample): Snapshot {
  return {
    time,
    server: withAnswer(before?.server, server, time),
    pooler: pooler && withAnswer(before?.pooler, pooler, time),
    apps: apps.map(({ address, sample }, index) => ({ address, ...withAnswer(before?.apps[index], sample, time) })),
  }
}

function withAnswer<T extends object, E extends { readonly error: string }>(
  before: Source<T> | undefined,
  answer: T | E,
  time: string,
): Source<T> {
  if (!isFailure(answer)) return { last: answer, outage: undefined }
  return { last: before?.last, outage: { since: before?.outage?.since ?? time, error: answer.error } }
}

function isFailure<E extends { readonly error: string }>(answer: object | E): answer is E {
  return 'error' in answer
}
