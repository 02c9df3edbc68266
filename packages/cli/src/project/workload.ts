/** A line of a project's file that a finding can point to. */
export interface Place {
  /** Relative to the project's root, with `/`. */
  readonly file: string
  readonly line?: number
}

/**
 * What a workload does, and so when it holds connections.
 * - `service`: runs all the time; deploys and autoscalers change how many instances there are.
 * - `job`: runs at times, beside the services: a CronJob, a queue worker started on demand, a migration.
 * - `build`: runs while the app is built, beside the services of the previous deploy: `next build`.
 * - `preview`: a deployment of a branch that uses the same database.
 * - `dev`: a development server. It is reported, and not added to the sum.
 */
export type WorkloadKind = 'service' | 'job' | 'build' | 'preview' | 'dev'

/** A number, the line that sets it, and the reason for it in a few words: `HPA api, maxReplicas`. */
export interface Amount {
  readonly value: number
  readonly why: string
  /** Undefined if no file sets it. */
  readonly place?: Place
  /** No file sets it; poolguard assumed the value. */
  readonly isAssumed?: boolean
  /** The setting that has the number, in the line of `place`: `maxReplicas`. */
  readonly setting?: string
  /** The value is this share of the number of instances, rounded up: a surge of 25 %. */
  readonly share?: number
}

/** A variable of a workload's environment, and the line that sets it. */
export interface WorkloadVariable {
  readonly value: string
  readonly place: Place
}

/** A program that a deployment file starts, and how many of its processes may run at the same time. */
export interface Workload {
  readonly name: string
  readonly kind: WorkloadKind
  /** The line that defines the workload. */
  readonly place: Place
  readonly instances: {
    /** Without load and without a deploy. */
    readonly usual: Amount
    /** At the autoscaler's maximum. */
    readonly most: Amount
  }
  /** Additional instances during a deploy, on top of `instances.most`. */
  readonly surge: Amount
  /** Processes of one instance: PM2's `instances`, `WEB_CONCURRENCY`, workers of `next build`. */
  readonly processes: Amount
  /** As far as the files say; secrets are references, and so absent. */
  readonly variables: ReadonlyMap<string, WorkloadVariable>
  /** Variables that the environment has, but whose value no file contains: a Secret of Kubernetes, a variable of fly. */
  readonly unknownVariables: ReadonlySet<string>
  /** The files say that it connects to PostgreSQL; otherwise its environment is partly unknown. */
  readonly isKnownClient: boolean
  /** The app's directory, relative to the project's root, `''` for the root itself; undefined if the file does not say. */
  readonly app: string | undefined
  /** The command that starts it, if the file says so. */
  readonly command: string | undefined
}

/** All processes of a workload at the same time, at its largest. */
export function maxProcesses({ instances, surge, processes }: Workload): number {
  return (instances.most.value + surge.value) * processes.value
}
