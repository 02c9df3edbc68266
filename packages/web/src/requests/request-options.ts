import { asyncContextIsCheap } from '@poolguard/core/adapter'
import { readShedLoad, type ShedLoadOptions } from '@poolguard/core/web'
import { readSwitch } from '../read-switch.ts'

/** What happens to the app's own requests. The options are the same in every framework. */
export interface RequestOptions {
  /** Label wait times by route. Default: from Node 24 on; below Node 24 it makes every `await` of the process 2.4 times as expensive. */
  readonly labels?: boolean
  /**
   * Cancel a request's statements, and roll its transaction back, when its client disconnects or its route's deadline has passed. Default:
   * from Node 24 on, as for `labels`.
   */
  readonly deadlines?: boolean
  /**
   * Rejects requests with 503 before their handlers run: with `true` while a pool is overloaded, with `{ waiters: 50 }` while more callers
   * wait for a connection. Default: false.
   */
  readonly shedLoad?: boolean | ShedLoadOptions | undefined
  /** Reply 503 to errors which mean that no connection was available in time. Default: true. */
  readonly mapErrors?: boolean
}

/** The validated options of requests, with defaults. */
export interface RequestSettings {
  readonly deadlines: boolean
  readonly labels: boolean
  readonly mapErrors: boolean
  readonly shedLoad: ShedLoadOptions | undefined
}

/**
 * Validates the options of requests.
 *
 * @param areOn whether labels, deadlines and error mapping are on by default.
 * @throws {InvalidOptionError} names the option and the value.
 */
export function readRequestSettings(options: RequestOptions, areOn = true): RequestSettings {
  return {
    deadlines: readSwitch('deadlines', options.deadlines, areOn && asyncContextIsCheap),
    labels: readSwitch('labels', options.labels, areOn && asyncContextIsCheap),
    mapErrors: readSwitch('mapErrors', options.mapErrors, areOn),
    shedLoad: readShedLoad(options.shedLoad),
  }
}
