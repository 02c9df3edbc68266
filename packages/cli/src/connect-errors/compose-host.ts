import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { withPlainTexts } from '../output/printable.ts'
import type { FileValue } from '../project/deployments/file-value.ts'
import { readYaml } from '../project/deployments/read-yaml.ts'
import { ProjectFolder } from '../project/project-folder.ts'

/** A service of a compose file whose name is used as a host name. */
export interface ComposeHost {
  readonly file: string
  readonly service: string
  /** Ports of this machine that lead to the service, by the port in the container. */
  readonly published: ReadonlyMap<number, number>
  /** A service that runs an image of its own code: a place to run commands in. */
  readonly app: string | undefined
}

const COMPOSE_FILE = /^(?:docker-)?compose(?:\.[\w.-]+)?\.ya?ml$/
/** A project in a monorepo is rarely deeper. */
const MAX_PARENTS = 4

/** Finds the service of that name in the compose files of the folder and its parents, up to the root of the repository. */
export function findComposeHost(folder: string, host: string): ComposeHost | undefined {
  for (const each of foldersAbove(folder)) {
    const project = new ProjectFolder(each)
    const files = project.list('').filter((name) => COMPOSE_FILE.test(name))
    for (const file of files.toSorted()) {
      const found = project.read(file, 'YAML', (text) => {
        const [compose] = readYaml(text, file)
        return compose && findService(file, compose, host)
      })
      if (found) return withPlainTexts(found)
    }
  }
  return undefined
}

function foldersAbove(folder: string): readonly string[] {
  const folders = [folder]
  for (let at = folder; folders.length <= MAX_PARENTS && !existsSync(join(at, '.git')); at = dirname(at)) {
    if (dirname(at) === at) break
    folders.push(dirname(at))
  }
  return folders
}

function findService(file: string, compose: FileValue, host: string): ComposeHost | undefined {
  const services = compose.at('services').entries
  const found = services.find(([name, service]) => namesOf(name, service).includes(host))
  if (!found) return undefined
  const [service, written] = found
  const app = services.find(([name, each]) => name !== service && !each.at('build').isMissing)?.[0]
  return { file, service, published: publishedPorts(written.at('ports')), app }
}

/** All names under which other containers reach a service. */
function namesOf(name: string, service: FileValue): readonly (string | undefined)[] {
  const aliases = service.at('networks').entries.flatMap(([, network]) => network.at('aliases').texts)
  return [name, service.at('container_name').text, service.at('hostname').text, ...aliases]
}

/** The short form `127.0.0.1:5433:5432` and the long form `{ target, published }`. */
function publishedPorts(ports: FileValue): ReadonlyMap<number, number> {
  const pairs = ports.items.flatMap((port): [number, number][] => {
    const [, outer = port.at('published').text, inner = port.at('target').text] =
      /(?:^|:)(\d+):(\d+)(?:\/tcp)?$/.exec(port.text ?? '') ?? []
    const pair: [number, number] = [Number(inner), Number(outer)]
    return pair.every(Number.isInteger) ? [pair] : []
  })
  return new Map(pairs)
}
