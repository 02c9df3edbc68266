import { t } from '../../output/translate.ts'
import type { AppInProject } from '../apps/app-in-project.ts'
import type { ProjectFolder } from '../project-folder.ts'
import type { Amount, Workload } from '../workload.ts'
import { ASSUMED_CPUS, assumed, fixed, setTo } from './container.ts'
import { NO_SURGE } from './container-defaults.ts'

/** Frameworks that run the app's code, and so its pools, while they build pages. */
const BUILDERS: readonly Builder[] = [
  // One worker for each CPU but one: https://nextjs.org/docs/app/api-reference/config/next-config-js
  { package: 'next', command: 'next build', workers: (cpus) => Math.max(1, cpus - 1) },
  // https://www.gatsbyjs.com/docs/multi-core-builds/
  { package: 'gatsby', command: 'gatsby build', workers: (cpus) => Math.max(1, cpus - 1) },
  { package: 'astro', command: 'astro build', workers: () => 1 },
  { package: '@sveltejs/kit', command: 'vite build', workers: () => 1 },
]

interface Builder {
  readonly package: string
  readonly command: string
  readonly workers: (cpus: number) => number
}

const NEXT_CONFIGS = ['next.config.ts', 'next.config.mjs', 'next.config.js', 'next.config.cjs']
const NEXT_CPUS = /\bcpus\s{0,20}:\s{0,20}(\d{1,3})\b/

/** The builds of the apps: each of their workers opens the pools that the pages use. */
export function readBuilds(
  folder: ProjectFolder,
  apps: readonly AppInProject[],
  cpus: number = ASSUMED_CPUS,
): readonly Workload[] {
  return apps.flatMap((app) => {
    const builder = BUILDERS.find((each) => app.packages.has(each.package))
    if (!builder) return []
    const place = { file: join(app.folder, 'package.json'), line: 1 }
    const one = fixed(1, 'one build at a time', place)
    return [
      {
        ...{ name: app.folder === '' ? builder.command : `${builder.command} (${app.folder})`, kind: 'build', place },
        ...{ instances: { usual: one, most: one }, surge: NO_SURGE, processes: workersOf(folder, app, builder, cpus) },
        ...{
          variables: new Map(),
          unknownVariables: new Set(),
          app: app.folder,
          command: builder.command,
          isKnownClient: false,
        },
      },
    ]
  })
}

function workersOf(folder: ProjectFolder, { folder: app }: AppInProject, builder: Builder, cpus: number): Amount {
  const written = builder.package === 'next' ? cpusInNextConfig(folder, app) : undefined
  if (written) return written
  const workers = builder.workers(cpus)
  return workers === 1 ? fixed(1, 'one process') : assumed(workers, t`build workers on ${cpus} CPUs`)
}

/** `experimental: { cpus: 2 }` sets the number of workers. */
function cpusInNextConfig(folder: ProjectFolder, app: string): Amount | undefined {
  for (const name of NEXT_CONFIGS) {
    const file = join(app, name)
    const found = folder.read(file, 'text', (text) => {
      const match = NEXT_CPUS.exec(text)
      return match && { value: Number(match[1]), line: text.slice(0, match.index).split('\n').length }
    })
    if (found) return setTo(found.value, 'experimental.cpus', { file, line: found.line })
  }
  return undefined
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}
