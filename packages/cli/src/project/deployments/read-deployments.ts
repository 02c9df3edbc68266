import { rememberVariables } from '../../environment/remember-secrets.ts'
import { t } from '../../output/translate.ts'
import type { AppInProject } from '../apps/app-in-project.ts'
import type { ProjectFolder } from '../project-folder.ts'
import type { Workload } from '../workload.ts'
import { applyPm2 } from './apply-pm2.ts'
import { COMPOSE_FILE } from './compose-variants.ts'
import type { Deployment, DeploymentFacts } from './container.ts'
import { FileValue } from './file-value.ts'
import { findFiles } from './find-files.ts'
import { readBuilds } from './read-builds.ts'
import { readCompose } from './read-compose.ts'
import { isEcsService, isScalableTarget, isTaskDefinition, readEcs } from './read-ecs.ts'
import { readFly } from './read-fly.ts'
import { isManifest, readKubernetes } from './read-kubernetes.ts'
import { isPm2File, readPm2 } from './read-pm2.ts'
import { parseProcfile, readProcfile } from './read-procfile.ts'
import { readRender } from './read-render.ts'
import { readToml } from './read-toml.ts'
import { readVercel } from './read-vercel.ts'
import { readYaml } from './read-yaml.ts'
import type { Reading } from './reading.ts'

const YAML_FILE = /\.ya?ml$/
const FLY_FILE = /^fly(\.[\w-]+)?\.toml$/
const ECS_FILE = /(task|service|scal|ecs)[\w.-]*\.json$/i
/** Configuration of tools, which is often large and never a manifest. */
const OTHER_YAML = /^(pnpm-lock|pnpm-workspace|\.|mkdocs|openapi|swagger|codecov|dependabot|Chart|values)/
/** Time for manifests; beyond it, only part of them is read. */
const MAX_MILLIS = 5_000
/** The beginning of a manifest; parsing every YAML file would take too long. */
const API_VERSION = /^[ \t]{0,20}(?:- )?"?apiVersion"?[ \t]{0,20}:/m
/** An unrendered template of Helm. */
const TEMPLATE = /\{\{/

/**
 * Reads all deployment files of a project, without running anything.
 *
 * @param apps the apps of the project, of which some are built by their framework.
 */
export function readDeployments(folder: ProjectFolder, apps: readonly AppInProject[] = []): DeploymentFacts {
  const paths = findFiles(folder, isDeploymentFile)
  const reading: Reading = { read: [], ignored: [] }
  const named = (pattern: RegExp) => paths.filter((path) => pattern.test(nameOf(path)))
  const json = named(/\.json$/).flatMap((path) => readOne(folder, path) ?? [])
  const deployments: Deployment[] = [
    ...readCompose(folder, paths, reading),
    ...readKubernetes(readManifests(folder, paths, reading), reading),
    ...together(
      'fly.toml',
      named(FLY_FILE).flatMap((path) => readFlyFile(folder, path, reading)),
    ),
    ...named(/^render\.yaml$/).flatMap((path) => readWith(folder, path, readRender, reading)),
    ...named(/^Procfile$/).flatMap((path) => readProcfileOf(folder, path, reading)),
    ...together(
      'vercel.json',
      named(/^vercel\.json$/).flatMap((path) => readWith(folder, path, readVercel, reading)),
    ),
    ...readEcs(ecsFiles(json, reading)),
  ]
  const pm2 = paths.filter((path) => isPm2File(nameOf(path))).flatMap((path) => readPm2(folder, path, reading))
  const applied = applyPm2(deployments, pm2)
  for (const { workloads, servers, poolers } of applied) {
    // A command or a name can repeat a password of the environment.
    for (const { variables } of [...workloads, ...servers, ...poolers]) rememberVariables(valuesOf(variables))
  }
  return {
    deployments: applied,
    builds: readBuilds(folder, apps),
    read: [...new Set(reading.read)].sort(),
    ignored: reading.ignored,
  }
}

function valuesOf(variables: Workload['variables']): Record<string, string> {
  return Object.fromEntries([...variables].map(([name, { value }]) => [name, value]))
}

function isDeploymentFile(name: string): boolean {
  if (YAML_FILE.test(name)) return COMPOSE_FILE.test(name) || !OTHER_YAML.test(name)
  return FLY_FILE.test(name) || name === 'Procfile' || name === 'vercel.json' || ECS_FILE.test(name) || isPm2File(name)
}

/** Apps that are deployed one by one, but run at the same time. */
function together(name: string, deployments: readonly Deployment[]): readonly Deployment[] {
  if (deployments.length < 2) return deployments
  return [
    {
      name: `${deployments.length} x ${name}`,
      workloads: deployments.flatMap(({ workloads }) => workloads),
      servers: deployments.flatMap(({ servers }) => servers),
      poolers: deployments.flatMap(({ poolers }) => poolers),
      commands: deployments.flatMap(({ commands }) => commands),
      assumed: deployments.flatMap(({ assumed }) => assumed),
    },
  ]
}

function readOne(folder: ProjectFolder, path: string): FileValue | undefined {
  return folder.read(path, path.endsWith('.json') ? 'JSON' : 'YAML', (text) => readYaml(text, path)[0])
}

function readWith(
  folder: ProjectFolder,
  path: string,
  read: (file: FileValue) => Deployment,
  reading: Reading,
): readonly Deployment[] {
  const file = readOne(folder, path)
  if (!file) return []
  reading.read.push(path)
  return [read(file)]
}

function readFlyFile(folder: ProjectFolder, path: string, reading: Reading): readonly Deployment[] {
  const file = folder.read(path, 'TOML', (text) => readToml(text, path))
  if (!file) return []
  reading.read.push(path)
  return [readFly(file)]
}

function readProcfileOf(folder: ProjectFolder, path: string, reading: Reading): readonly Deployment[] {
  const types = folder.read(path, 'Procfile', (text) => parseProcfile(text, path))
  if (!types?.length) return []
  reading.read.push(path)
  const appFile = [...path.split('/').slice(0, -1), 'app.json'].join('/')
  const app = folder.has(appFile) ? readOne(folder, appFile) : undefined
  if (app) reading.read.push(appFile)
  return [readProcfile(types, app ?? new FileValue({ file: appFile }))]
}

/** The manifests among all YAML files. A template is no YAML before Helm has rendered it. */
function readManifests(folder: ProjectFolder, paths: readonly string[], reading: Reading): readonly FileValue[] {
  const candidates = paths.filter(
    (path) => YAML_FILE.test(path) && !COMPOSE_FILE.test(nameOf(path)) && nameOf(path) !== 'render.yaml',
  )
  const deadline = performance.now() + MAX_MILLIS
  return candidates.flatMap((path) => {
    if (performance.now() > deadline) {
      folder.reportSkipped(t`part of the deployment files`, t`too many files`)
      return []
    }
    let isTemplate = false
    const documents = folder.read(path, 'YAML', (text) => {
      isTemplate = TEMPLATE.test(text) && /(^|\/)templates\//.test(path)
      return isTemplate || !API_VERSION.test(text) ? [] : readYaml(text, path)
    })
    if (isTemplate) reading.ignored.push(t`${path} (a template of Helm: check the output of helm template)`)
    return (documents ?? []).filter((each) => isManifest(each) || each.at('kind').text === 'List')
  })
}

function ecsFiles(files: readonly FileValue[], reading: Reading): readonly FileValue[] {
  const found = files.filter((file) => isTaskDefinition(file) || isEcsService(file) || isScalableTarget(file))
  reading.read.push(...found.map(({ place }) => place.file))
  return found
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? ''
}
