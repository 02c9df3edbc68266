import { setTimeout as sleep } from 'node:timers/promises'
import type { InstanceOptions, Report } from './instance-messages.ts'
import { StartedInstance } from './started-instance.ts'

export interface FleetLoad {
  /** Of each process. */
  readonly callers: number
  readonly text: string
  /** Under load, before it is measured. */
  readonly onsetMillis: number
  readonly measuredMillis: number
}

export interface FleetWork {
  readonly perSecond: number
  readonly p99Millis: number
  /** Calls that have failed since the processes were started. */
  readonly failed: number
  /** The codes of their errors. */
  readonly errorCodes: readonly string[]
  /** That the instances of an adaptive fleet have found together; NaN for another fleet. */
  readonly adaptiveLimit: number
}

/** Processes that are under load only while they are measured. */
export class LoadedFleet implements AsyncDisposable {
  readonly #instances: readonly StartedInstance[]

  static async start(processes: number, options: InstanceOptions): Promise<LoadedFleet> {
    return new LoadedFleet(await Promise.all(Array.from({ length: processes }, () => StartedInstance.start(options))))
  }

  private constructor(instances: readonly StartedInstance[]) {
    this.#instances = instances
  }

  async measure({ callers, text, onsetMillis, measuredMillis }: FleetLoad): Promise<FleetWork> {
    await Promise.all(this.#instances.map((instance) => instance.load(callers, text)))
    await sleep(onsetMillis)
    const [before, began] = [await this.#reports(), performance.now()]
    await sleep(measuredMillis)
    const after = await this.#reports()
    const seconds = (performance.now() - began) / 1_000
    await Promise.all(this.#instances.map((instance) => instance.load(0)))
    return {
      perSecond: (total(after, 'done') - total(before, 'done')) / seconds,
      p99Millis: Math.max(...after.map(({ p99Millis }) => p99Millis)),
      failed: total(after, 'failed'),
      errorCodes: [...new Set(after.flatMap(({ errors }) => Object.keys(errors)))],
      adaptiveLimit: after[0]?.fleet?.adaptiveLimit ?? Number.NaN,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#instances.map((instance) => instance[Symbol.asyncDispose]()))
  }

  #reports(): Promise<Report[]> {
    return Promise.all(this.#instances.map((instance) => instance.report()))
  }
}

export function total(reports: readonly Pick<Report, 'done' | 'failed'>[], key: 'done' | 'failed'): number {
  return reports.reduce((sum, report) => sum + report[key], 0)
}
