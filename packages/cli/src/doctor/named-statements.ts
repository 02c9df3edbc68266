import { t } from '../output/translate.ts'
import type { Place } from '../project/workload.ts'
import type { Facts } from './facts.ts'

/** A reason why the app's statements have names. */
export interface NamedStatements {
  readonly evidence: string
  /** The change that makes them unnamed. */
  readonly change: string
  readonly place?: Place
}

/** What gives the app's statements names: settings in the sources, and the default of postgres.js. */
export function namedStatements(facts: Facts): readonly NamedStatements[] {
  const written = facts.project.statements.flatMap(({ kind, file, line }): NamedStatements[] => {
    const place = { file, line }
    if (kind === 'statement-names') {
      return [
        { evidence: t`statementNameGenerator in ${file}:${line}`, change: t`Remove statementNameGenerator`, place },
      ]
    }
    return kind === 'prepare-true'
      ? [{ evidence: t`prepare: true in ${file}:${line}`, change: t`Set prepare: false`, place }]
      : []
  })
  const isExplicit = facts.project.statements.some(({ kind }) => kind === 'prepare-true')
  if (isExplicit || !namesByDefault(facts)) return written
  return [...written, { evidence: t`postgres.js names its statements by default`, change: t`Set prepare: false` }]
}

/** postgres.js prepares unless prepare is false; Drizzle sets that for each query. */
function namesByDefault({ project, target }: Facts): boolean {
  return (
    project.drivers.includes('postgres.js') &&
    !project.packages.has('drizzle-orm') &&
    target?.url.parameter('prepare') !== 'false' &&
    !project.statements.some(({ kind }) => kind === 'prepare-false')
  )
}
