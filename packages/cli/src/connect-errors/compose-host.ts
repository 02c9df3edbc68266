import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { withPlainTexts } from '../output/printable.ts'
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

type Written = Readonly<Record<string, unknown>>

/** Finds the service of that name in the compose files of the folder and its parents, up to the root of the repository. */
export function findComposeHost(folder: string, host: string): ComposeHost | undefined {
  for (const each of foldersAbove(folder)) {
    for (const file of composeFiles(each)) {
      const found = new ProjectFolder(each).read(file, 'YAML', (text) => findService(file, text, host))
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

function composeFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => COMPOSE_FILE.test(name))
      .sort()
  } catch {
    return []
  }
}

function findService(file: string, text: string, host: string): ComposeHost | undefined {
  const services = Object.entries(recordOf(recordOf(parse(text, { merge: true, logLevel: 'error' })).services))
  const found = services.find(([name, service]) => namesOf(name, recordOf(service)).includes(host))
  if (!found) return undefined
  const [service, written] = found
  const app = services.find(([name, each]) => name !== service && 'build' in recordOf(each))?.[0]
  return { file: basename(file), service, published: publishedPorts(recordOf(written).ports), app }
}

/** All names under which other containers reach a service. */
function namesOf(name: string, { container_name, hostname, networks }: Written): readonly unknown[] {
  const aliases = Object.values(recordOf(networks)).flatMap((network) => recordOf(network).aliases ?? [])
  return [name, container_name, hostname, ...aliases]
}

/** The short form `127.0.0.1:5433:5432` and the long form `{ target, published }`. */
function publishedPorts(ports: unknown): ReadonlyMap<number, number> {
  const pairs = (Array.isArray(ports) ? ports : []).flatMap((port): [number, number][] => {
    const { target, published } = recordOf(port)
    const [, outer = published, inner = target] = /(?:^|:)(\d+):(\d+)(?:\/tcp)?$/.exec(String(port)) ?? []
    const pair: [number, number] = [Number(inner), Number(outer)]
    return pair.every(Number.isInteger) ? [pair] : []
  })
  return new Map(pairs)
}

function recordOf(value: unknown): Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Written) : {}
}
