import { type Facts, usesPoolguard } from '../facts.ts'
import type { Finding, Rule } from '../rule.ts'

export const preparedStatementsBreak: Rule = {
  id: 'prepared-statements-break',
  title: 'Prepared statements fail behind this pooler',
  severity: 'critical',
  check: (facts) => {
    const { server, project } = facts
    if (server?.topology.preparedStatements !== 'unsafe' || usesPoolguard(facts)) return []
    const named: Finding[] = project.statements
      .filter(({ kind }) => kind === 'statement-names')
      .map(({ file, line }) => ({
        ...finding(`statementNameGenerator in ${file}:${line}`, 'Remove statementNameGenerator'),
        place: { file, line },
      }))
    return namesByDefault(facts)
      ? [...named, finding('postgres.js names its statements by default', 'Set prepare: false')]
      : named
  },
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

function finding(evidence: string, change: string): Finding {
  return {
    evidence: `${evidence}, and this pooler does not track prepared statements.`,
    why: "A query may run on a server connection that does not have the statement (26000), or has it already (42P05); old versions may even run another client's statement of the same name.",
    change: `${change}, or set max_prepared_statements = 200 on PgBouncer 1.21 or later (the default since 1.24).`,
    data: {},
  }
}
