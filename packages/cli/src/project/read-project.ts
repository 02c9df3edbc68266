import { environment } from '../environment/own-environment.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { Evaluator } from '../source/evaluator.ts'
import type { Module } from '../source/module.ts'
import { readNumber } from '../source/read-number.ts'
import { readApps } from './apps/read-apps.ts'
import { poolerSettings } from './deployments/pooler-settings.ts'
import { readDeployments } from './deployments/read-deployments.ts'
import type { ProjectFacts, UrlParameterSetting } from './project-facts.ts'
import { ProjectFolder } from './project-folder.ts'
import { ProjectSources } from './project-sources.ts'
import { readPgBouncerIni } from './read-pgbouncer-ini.ts'
import { statementSettings } from './statement-settings.ts'
import { urlParametersIn } from './url-parameters.ts'
import { walkProject } from './walk-project.ts'

/**
 * Reads a project's files without running its code.
 *
 * @param env the variables of the shell, which win over those of `.env` files.
 */
export function readProject(
  path: string,
  env: Readonly<Record<string, string | undefined>> = environment,
): ProjectFacts {
  const folder = new ProjectFolder(path)
  const files = walkProject(path)
  const sources = new ProjectSources(folder, folder.has('package.json') ? files.sources : [])
  const { isWorkspaceRoot, apps, modules } = readApps(folder, files, sources, env)
  const deployments = readDeployments(folder, apps)
  const [pooler] = deployments.deployments.flatMap(({ poolers }) => poolers)
  if (files.isPartial || sources.isPartial) folder.reportSkipped(t`part of the sources`, t`too many files`)
  const direct = apps.flatMap(({ prismaDirectUrl }) => prismaDirectUrl ?? [])
  return withPlainTexts({
    // The root comes first, so that an app's version wins over the root's.
    packages: new Map(apps.flatMap(({ packages }) => [...packages])),
    drivers: [...new Set(apps.flatMap(({ drivers }) => drivers))],
    isWorkspaceRoot,
    apps,
    pools: apps.flatMap(({ pools }) => pools),
    statements: modules.flatMap(({ module }) => statementSettings(module)),
    urlParameters: modules.flatMap(({ module, app }) => urlParameterSettings(module, app, sources)),
    deployments,
    pgBouncer: readPgBouncerIni(folder) ?? (pooler && poolerSettings(pooler, pooler.place.file)),
    prismaDirectUrl: direct.length > 0 ? direct.every(Boolean) : undefined,
    unread: folder.unread,
  })
}

function urlParameterSettings(module: Module, app: string, sources: ProjectSources): UrlParameterSetting[] {
  const evaluator = new Evaluator(sources)
  return urlParametersIn(module).map(({ parameter, value, node }) => {
    const number = readNumber(evaluator, { module, node: value }, {}).value
    const text = value.type === 'StringLiteral' ? value.value : String(number ?? '')
    return { file: module.file, line: module.lineOf(node), parameter, value: text, app }
  })
}
