import type { Container, PoolerInFiles, ServerInFiles } from '../project/deployments/container.ts'
import { poolerSettings } from '../project/deployments/pooler-settings.ts'
import { type StatementSupport, statementSupport } from '../project/deployments/pooler-version.ts'
import type { PoolerSettings } from '../project/project-facts.ts'
import type { Place } from '../project/workload.ts'
import { describePlace } from '../sum/describe-sum.ts'
import { type Facts, settingOf } from './facts.ts'

/** The poolers of all deployment files; one that several deployments share is there once. */
export function deployedPoolers({ project }: Facts): readonly PoolerInFiles[] {
  return distinct(project.deployments.deployments.flatMap(({ poolers }) => poolers))
}

/** The PostgreSQL servers of all deployment files. */
export function deployedServers({ project }: Facts): readonly ServerInFiles[] {
  return distinct(project.deployments.deployments.flatMap(({ servers }) => servers))
}

function distinct<T extends Pick<Container, 'name' | 'place' | 'variables' | 'image'>>(
  all: readonly T[],
): readonly T[] {
  const keys = new Map(
    all.map((each) => {
      const variables = [...each.variables].map(([name, { value }]) => `${name}=${value}`).sort()
      return [`${each.name} ${describePlace(each.place)} ${each.image?.written} ${variables.join(' ')}`, each] as const
    }),
  )
  return [...keys.values()]
}

/** A pooler in the files that clients share in transaction or statement mode, and that does not track named statements. */
export interface PoolerWithoutStatements extends StatementSupport {
  /** `PgBouncer 1.22.1 (compose.yaml:12)` */
  readonly name: string
  /** The line to change. */
  readonly place: Place
}

/** The poolers whose tag and settings say that named statements fail. */
export function poolersWithoutStatements(facts: Facts): readonly PoolerWithoutStatements[] {
  return deployedPoolers(facts).flatMap((pooler) => {
    const support = statementSupport(pooler)
    // A pgbouncer.ini that the image mounts replaces its variables.
    const settings = iniOf(facts) ?? poolerSettings(pooler, pooler.place.file)
    const mode = settings.values.get('pool_mode')
    const isShared = mode === 'transaction' || mode === 'statement'
    if (!support || support.byDefault === 'on' || !isShared) return []
    if (support.byDefault === 'off' && settings.values.has('max_prepared_statements')) {
      if (settingOf(settings, 'max_prepared_statements') !== 0) return []
    }
    const place = pooler.image?.place ?? pooler.place
    return [{ ...support, name: `PgBouncer ${support.version} (${describePlace(place)})`, place }]
  })
}

function iniOf({ project }: Facts): PoolerSettings | undefined {
  return project.pgBouncer?.source.endsWith('.ini') ? project.pgBouncer : undefined
}
