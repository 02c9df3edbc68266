import { PoolguardError } from '@poolguard/core'
import { type ConnectionString, parseConnectionString } from '@poolguard/core/postgres'
import { connectionFromEnvironment, type EnvironmentConnection } from '../../environment/connection-from-environment.ts'
import { t } from '../../output/translate.ts'
import type { AppInProject } from './app-in-project.ts'

/** A database that an app of the project connects to, by its `.env` files. */
export interface AppTarget {
  readonly url: ConnectionString
  /** `DATABASE_URL in apps/web/.env.production`. */
  readonly source: string
  /** The app's directory. */
  readonly app: string
  /** In the mode of NODE_ENV; otherwise from a file for another mode. */
  readonly isCurrent: boolean
}

/** Variables with the URL that an app's pools name. `DATABASE_URL` is looked for anyway. */
export function urlVariablesOf({ pools }: AppInProject): readonly string[] {
  const names = [
    ...new Set(pools.flatMap(({ role, urlVariable }) => (role === 'app' && urlVariable ? [urlVariable] : []))),
  ]
  return names.includes('DATABASE_URL') ? [] : names
}

/** The databases in the `.env` files of all apps, for every mode, without repetitions. */
export function targetsOfApps(apps: readonly AppInProject[], onInvalid: (line: string) => void): readonly AppTarget[] {
  const seen = new Set<string>()
  return apps.flatMap((app) => {
    const { used, others, variables } = app.environment
    const effective =
      used.length > 0 ? [{ file: used.map(({ file }) => file).join(', '), variables, isCurrent: true }] : []
    const other = others.map((each) => ({ ...each, isCurrent: false }))
    return [...effective, ...other].flatMap(({ file, variables: given, isCurrent }) => {
      const found = connectionIn(given, app, file, onInvalid)
      const key = found && `${app.folder} ${found.url.toString()}`
      if (!found || key === undefined || seen.has(key)) return []
      seen.add(key)
      return [
        {
          url: found.url,
          source: t`${found.sources.host ?? found.sources.database ?? 'variables'} in ${file}`,
          app: app.folder,
          isCurrent,
        },
      ]
    })
  })
}

function connectionIn(
  variables: Readonly<Record<string, string | undefined>>,
  app: AppInProject,
  file: string,
  onInvalid: (line: string) => void,
): EnvironmentConnection | undefined {
  const url = variables.DATABASE_URL
  // Another database, such as a file of SQLite.
  if (url && !/^postgres(ql)?:/.test(url) && /^\w+:/.test(url)) return undefined
  try {
    if (url) parseConnectionString(url)
    return connectionFromEnvironment(variables, urlVariablesOf(app))
  } catch (error) {
    if (!(error instanceof PoolguardError)) throw error
    if (url) onInvalid(t`${file} (invalid connection string)`)
    return undefined
  }
}
