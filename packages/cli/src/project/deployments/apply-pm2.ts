import type { Amount, Workload } from '../workload.ts'
import { ASSUMED_CPUS, assumed, type Deployment, fixed } from './container.ts'
import { isPm2File } from './read-pm2.ts'

/**
 * PM2 in a container starts the apps of an ecosystem file, or several processes of one script. An ecosystem file that no
 * container starts runs on a machine by itself.
 */
export function applyPm2(deployments: readonly Deployment[], pm2: readonly Deployment[]): readonly Deployment[] {
  const used = new Set<Deployment>()
  const applied = deployments.map((deployment) => ({
    ...deployment,
    workloads: deployment.workloads.flatMap((workload) => {
      const file = ecosystemOf(workload, pm2)
      if (!file) return [{ ...workload, processes: clustered(workload) ?? workload.processes }]
      used.add(file)
      return file.workloads.map((app) => withinContainer(workload, app, file.workloads.length))
    }),
  }))
  return [...applied, ...pm2.filter((each) => !used.has(each))]
}

/** The ecosystem file that a command names, in the workload's app if there are several. */
function ecosystemOf({ command, app }: Workload, pm2: readonly Deployment[]): Deployment | undefined {
  const word = command?.split(' ').find((each) => isPm2File(each.split('/').at(-1) ?? ''))
  if (command === undefined || word === undefined) return undefined
  const name = word.split('/').at(-1)
  const candidates = pm2.filter((each) => each.name.split('/').at(-1) === name)
  return candidates.find((each) => app && each.name.startsWith(`${app}/`)) ?? candidates[0]
}

function withinContainer(container: Workload, app: Workload, apps: number): Workload {
  return {
    ...container,
    name: apps > 1 ? `${container.name}/${app.name}` : container.name,
    processes: app.processes,
    variables: new Map([...container.variables, ...app.variables]),
    command: app.command,
  }
}

/** `pm2-runtime start server.js -i 4` */
function clustered({ command, place }: Workload): Amount | undefined {
  if (command === undefined || !/\bpm2(-runtime)?\b/.test(command)) return undefined
  const [, instances] = /\s(?:-i|--instances)[ =](max|\d{1,3})\b/.exec(command) ?? []
  if (instances === undefined) return undefined
  if (instances === 'max' || instances === '0') return assumed(ASSUMED_CPUS, `pm2 -i ${instances}`)
  return fixed(Number(instances), `pm2 -i ${instances}`, place)
}
