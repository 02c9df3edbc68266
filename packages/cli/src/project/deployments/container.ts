import type { Amount, Place, Workload, WorkloadVariable } from '../workload.ts'

/** CPUs of a machine of which no file says how many it has. */
export const ASSUMED_CPUS = 4

/** An image's name without registry, tag and digest, and where it is written. */
export interface Image {
  /** All of it, without a digest: `bitnami/pgbouncer:1.22.1`. */
  readonly written: string
  /** The last part: `pgbouncer`. */
  readonly name: string
  readonly tag: string | undefined
  readonly place: Place
}

/** A word of a command line. */
export interface Word {
  readonly text: string
  readonly place: Place
}

/** A container or program of a deployment file. It may be an app, a PostgreSQL server, a pooler, or a tool. */
export interface Container extends Omit<Workload, 'command' | 'isKnownClient'> {
  readonly image: Image | undefined
  /** The entry point's and the command's words. */
  readonly words: readonly Word[]
  /** The deployment starts a container of this name before this one. */
  readonly dependsOn: readonly string[]
  /** Part of the environment is in a file or a secret that poolguard cannot read. */
  readonly hasUnknownEnvironment: boolean
  /** The limit of open files, if it is set. */
  readonly maxFiles: number | undefined
}

/** A PostgreSQL server that a deployment starts. */
export interface ServerInFiles {
  readonly name: string
  readonly place: Place
  readonly image: Image | undefined
  /** 100 if no file sets it. */
  readonly maxConnections: Amount
  readonly variables: Container['variables']
  readonly words: readonly Word[]
}

/** A pooler that a deployment starts. */
export interface PoolerInFiles {
  readonly name: string
  readonly place: Place
  readonly image: Image | undefined
  /** Processes with pools of their own, at most. */
  readonly processes: number
  readonly variables: Container['variables']
  readonly maxFiles: number | undefined
}

/** Deployment files that are used together. Several of them in one project are alternatives, such as staging and production. */
export interface Deployment {
  /** The files: `compose.yaml + compose.prod.yaml`. */
  readonly name: string
  readonly workloads: readonly Workload[]
  readonly servers: readonly ServerInFiles[]
  readonly poolers: readonly PoolerInFiles[]
  /** The commands of all containers, also of those that do not use the database. */
  readonly commands: readonly Pick<Container, 'name' | 'words' | 'place'>[]
  /** Assumptions about numbers that no file contains, as sentences. */
  readonly assumed: readonly string[]
}

/** What the deployment files of a project say. */
export interface DeploymentFacts {
  readonly deployments: readonly Deployment[]
  /** Builds, which run beside the services of any deployment. */
  readonly builds: readonly Workload[]
  /** Files that were read. */
  readonly read: readonly string[]
  /** Files and parts of files that were recognized and not read, and why. */
  readonly ignored: readonly string[]
}

export function fixed(value: number, why: string, place?: Place): Amount {
  return { value, why, ...(place && { place }) }
}

/** A number that a setting of a file has, and that can be changed there. */
export function setTo(value: number, setting: string, place: Place, why: string = setting): Amount {
  return { value, why, place, setting }
}

/** A surge that grows with the instances. */
export function shareOf(instances: number, share: number, why: string, place?: Place): Amount {
  return { ...fixed(Math.ceil(instances * share), why, place), share }
}

export function assumed(value: number, why: string): Amount {
  return { value, why, isAssumed: true }
}

/** Parses the reference of an image: https://docs.docker.com/reference/cli/docker/image/tag/ */
export function parseImage(written: string | undefined, place: Place): Image | undefined {
  if (!written) return undefined
  const reference = written.split('@')[0] ?? ''
  const last = reference.split('/').at(-1) ?? ''
  const [name = '', tag] = last.split(':')
  return { written: reference, name, tag: tag || undefined, place }
}

/** The value of a variable, as text. */
export function valueIn(variables: ReadonlyMap<string, WorkloadVariable>, name: string): string | undefined {
  return variables.get(name)?.value
}
