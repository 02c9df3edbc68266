import { mayHoldSecret } from '@poolguard/core/adapter'
import { type Surge, surgeInstances } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { assumed, type Deployment, fixed } from '../project/deployments/container.ts'
import type { ProjectFacts } from '../project/project-facts.ts'
import type { Amount, Workload } from '../project/workload.ts'
import type { AppPools } from './assign-pools.ts'

/** Numbers from the command line, which replace those of the files. */
export interface SumScope {
  /** Instances of the app; the deployment files are not looked at. */
  readonly instances?: number | undefined
  readonly maxSurge?: Surge | undefined
  /** Instances of single workloads. */
  readonly instancesOf?: ReadonlyMap<string, number> | undefined
  /** Preview deployments at the same time. */
  readonly previews?: number | undefined
  /** The limit is that of another server than the one of the deployment files, so that a build can reach it. */
  readonly isOtherServer?: boolean | undefined
}

/** A deployment whose number of instances no file says. */
export interface ScopedDeployment extends Deployment {
  readonly isAssumed?: boolean
}

/** The deployments to add up: alternatives, each with all its workloads. */
export function scopedDeployments(
  { deployments: { deployments, builds } }: Pick<ProjectFacts, 'deployments'>,
  apps: readonly AppPools[],
  scope: SumScope = {},
): readonly ScopedDeployment[] {
  const { instances, maxSurge } = scope
  if (instances !== undefined) {
    const surge = fixed(surgeInstances(instances, maxSurge), '--max-surge')
    const workloads = withPools(apps).map((app) => appWorkload(app, fixed(instances, '--instances'), surge))
    return [{ name: t`${instances} instances`, workloads, servers: [], poolers: [], commands: [], assumed: [] }]
  }
  const started = deployments.map((each) => withApps(each, apps)).map((each) => withBuilds(each, builds, scope))
  const all =
    started.length > 0 || withPools(apps).length === 0 ? started : [withBuilds(sourcesOnly(apps), builds, scope)]
  requireWorkloads(all, scope)
  return all.map((each) => withNumbers(each, scope))
}

/** A name that no workload has would leave the files' number in place. */
function requireWorkloads(deployments: readonly Deployment[], { instancesOf }: SumScope): void {
  const names = new Set(deployments.flatMap(({ workloads }) => workloads.map(({ name }) => name)))
  const unknown = [...(instancesOf?.keys() ?? [])].find((name) => !names.has(name))
  if (unknown === undefined) return
  const known = [...names].join(', ') || t`none`
  // A URL in its place may have a password.
  const shown = mayHoldSecret(unknown) ? t`a workload` : unknown
  throw new CannotRunError(t`--instances names ${shown}, but there is no such workload. The workloads: ${known}.`)
}

/** A file that starts only the database, for development, leaves open where the app runs. */
function withApps(deployment: Deployment, apps: readonly AppPools[]): ScopedDeployment {
  if (deployment.workloads.length > 0) return deployment
  const { workloads, assumed: notes } = sourcesOnly(apps)
  return { ...deployment, workloads, assumed: [...deployment.assumed, ...notes], isAssumed: true }
}

function sourcesOnly(apps: readonly AppPools[]): ScopedDeployment {
  const workloads = withPools(apps).map((app) =>
    appWorkload(app, assumed(1, 'one instance'), fixed(0, 'no deployment file')),
  )
  const notes = workloads.map(
    ({ name }) => t`Assumed 1 instance of ${name}: no deployment file starts it; pass --instances ${name}=<number>.`,
  )
  return { name: t`the sources`, workloads, servers: [], poolers: [], commands: [], assumed: notes, isAssumed: true }
}

/** A build runs beside the services, unless the deployment's own database is not up yet. */
function withBuilds(deployment: ScopedDeployment, builds: readonly Workload[], scope: SumScope): ScopedDeployment {
  if (deployment.servers.length > 0 && !scope.isOtherServer) return deployment
  const running = builds.filter((build) =>
    deployment.workloads.some(({ app }) => app === undefined || app === build.app),
  )
  const notes = running
    .filter(({ processes }) => processes.isAssumed)
    .map(
      ({ name, processes }) =>
        t`Assumed ${processes.value} ${processes.why} for ${name}; pass --instances '${name}=0' if it opens no connections.`,
    )
  return { ...deployment, workloads: [...deployment.workloads, ...running], assumed: [...deployment.assumed, ...notes] }
}

function withNumbers<T extends ScopedDeployment>(deployment: T, { instancesOf, previews }: SumScope): T {
  const workloads = deployment.workloads.map((workload) => {
    const given = instancesOf?.get(workload.name) ?? (workload.kind === 'preview' ? previews : undefined)
    if (given === undefined) return workload
    const why = instancesOf?.has(workload.name) ? `--instances ${workload.name}` : '--previews'
    const amount = fixed(given, why)
    const { share } = workload.surge
    const surge = share === undefined ? workload.surge : { ...workload.surge, value: Math.ceil(given * share) }
    return { ...workload, instances: { usual: amount, most: amount }, surge }
  })
  const isNamed = (note: string) =>
    [...(instancesOf?.keys() ?? [])].some((name) => note.includes(`--instances ${name}=`))
  const notes = deployment.assumed.filter(
    (note) => !isNamed(note) && !(previews !== undefined && note.includes('--previews')),
  )
  return { ...deployment, workloads, assumed: notes }
}

function withPools(apps: readonly AppPools[]): readonly AppPools[] {
  return apps.filter(({ pools }) => pools.length > 0)
}

function appWorkload({ folder, name }: AppPools, instances: Amount, surge: Amount): Workload {
  return {
    ...{ name: folder.split('/').at(-1) || name, kind: 'service', app: folder, command: undefined },
    place: { file: folder === '' ? 'package.json' : `${folder}/package.json` },
    ...{ instances: { usual: instances, most: instances }, surge },
    processes: fixed(1, 'one process for each instance'),
    ...{ variables: new Map(), unknownVariables: new Set(), isKnownClient: false },
  }
}
