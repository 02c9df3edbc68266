import { t } from '../../output/translate.ts'
import type { Amount } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { assumed, type Container, type Deployment, fixed, setTo, shareOf } from './container.ts'
import { NO_SURGE, platformProgram } from './container-defaults.ts'
import { FileValue } from './file-value.ts'
import { readWords } from './read-words.ts'

/** `fly launch` creates two machines for a process with a service: https://fly.io/docs/apps/app-availability/ */
const DEFAULT_MACHINES = 2

/** Reads a `fly.toml`: https://fly.io/docs/reference/configuration/ */
export function readFly(file: FileValue): Deployment {
  const name = file.at('app').text ?? 'app'
  const processes = file.at('processes').entries
  const groups = processes.length > 0 ? processes : [['app', new FileValue(file.place)] as const]
  const variables = new Map(file.at('env').entries.map(([key, { text = '', place }]) => [key, { value: text, place }]))
  const notes: string[] = []
  const programs = groups.map(([group, command]): Container => {
    const label = groups.length > 1 || group !== 'app' ? `${name}/${group}` : name
    const machines = machinesOf(file, group)
    if (machines.isAssumed) {
      notes.push(
        t`Assumed ${machines.value} machines of ${label}; pass --instances ${label}=<machines> for what fly scale show prints.`,
      )
    }
    return platformProgram({
      ...{ name: label, place: command.isMissing ? file.at('app').place : command.place, variables },
      instances: { usual: machines, most: machines },
      surge: surgeOf(file, machines.value),
      words: readWords(command),
    })
  })
  return { name: file.place.file, ...classifyContainers([...programs, ...releaseCommand(file, name)]), assumed: notes }
}

function machinesOf(file: FileValue, group: string): Amount {
  const services = [file.at('http_service'), ...file.at('services').items]
  const mine = services.filter((service) => {
    const named = service.at('processes').texts
    return service.isMap && (named.length === 0 || named.includes(group))
  })
  const limits = mine
    .map((service) => service.at('min_machines_running'))
    .filter(({ count = 0 }) => count > DEFAULT_MACHINES)
  const [limit] = limits.toSorted((a, b) => (b.count ?? 0) - (a.count ?? 0))
  if (limit?.count !== undefined) return setTo(limit.count, 'min_machines_running', limit.place)
  return assumed(DEFAULT_MACHINES, 'machines after fly launch')
}

/** https://fly.io/docs/launch/deploy/#deployment-strategy */
function surgeOf(file: FileValue, machines: number): Amount {
  const strategy = file.at('deploy', 'strategy')
  if (strategy.text === 'bluegreen') return shareOf(machines, 1, 'deploy.strategy: bluegreen', strategy.place)
  if (strategy.text === 'canary') return fixed(1, 'deploy.strategy: canary', strategy.place)
  return NO_SURGE
}

/** Runs in a machine of its own before each deploy. */
function releaseCommand(file: FileValue, name: string): readonly Container[] {
  const command = file.at('deploy', 'release_command')
  if (command.isMissing) return []
  const once = fixed(1, 'release_command', command.place)
  return [
    platformProgram({
      ...{ name: `${name}/release`, kind: 'job', place: command.place, words: readWords(command) },
      instances: { usual: once, most: once },
    }),
  ]
}
