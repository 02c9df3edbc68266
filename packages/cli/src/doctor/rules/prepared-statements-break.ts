import { type Facts, usesPoolguard } from '../facts.ts'
import type { Finding, Rule } from '../rule.ts'

export const preparedStatementsBreak: Rule = {
  id: 'prepared-statements-break',
  title: 'Named statements are used where the pooler does not follow them',
  severity: 'critical',
  check: (facts) => {
    const { server, project } = facts
    if (server?.topology.preparedStatements !== 'unsafe' || usesPoolguard(facts)) return []
    const named: Finding[] = project.code
      .filter(({ kind }) => kind === 'statement-names')
      .map(({ file, line }) => finding(`statementNameGenerator in ${file}:${line}`, 'Take statementNameGenerator out'))
    return namesByDefault(facts)
      ? [...named, finding('postgres.js names its statements by default', 'Give it prepare: false')]
      : named
  },
}

/** postgres.js prepares unless it is told otherwise; Drizzle does that for it, query by query. */
function namesByDefault({ project, target }: Facts): boolean {
  return (
    project.drivers.includes('postgres.js') &&
    !project.packages.has('drizzle-orm') &&
    target?.url.parameter('prepare') !== 'false' &&
    !project.code.some(({ kind }) => kind === 'prepare-false')
  )
}

function finding(evidence: string, change: string): Finding {
  return {
    evidence: `${evidence}, and this pooler keeps no track of names.`,
    why: "A statement is looked for on a server connection that never saw it (26000), or is there twice (42P05); on old versions another client's statement of the same name is run.",
    change: `${change}, or set max_prepared_statements = 200 on PgBouncer 1.21 or newer (1.24 has it by default).`,
  }
}
