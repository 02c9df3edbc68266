import { t } from '../../output/translate.ts'
import type { Place } from '../../project/workload.ts'
import { poolersWithoutStatements } from '../deployed.ts'
import { type Facts, usesPoolguard } from '../facts.ts'
import { type NamedStatements, namedStatements } from '../named-statements.ts'
import type { Finding, Rule } from '../rule.ts'

export const preparedStatementsBreak: Rule = {
  id: 'prepared-statements-break',
  title: 'Prepared statements fail behind this pooler',
  severity: 'critical',
  check: (facts) => {
    const pooler = poolerOf(facts)
    if (!pooler || usesPoolguard(facts)) return []
    return namedStatements(facts).map((named) => finding(named, pooler))
  },
}

interface Pooler {
  readonly name: string
  readonly remedy: string
  readonly place?: Place
}

/** The pooler that does not track statements: as measured, or from the tag of its image. */
function poolerOf(facts: Facts): Pooler | undefined {
  const setting = t`set max_prepared_statements = 200 on PgBouncer 1.21 or later (the default since 1.24)`
  if (facts.server) {
    return facts.server.topology.preparedStatements === 'unsafe' ? { name: t`this pooler`, remedy: setting } : undefined
  }
  const [pooler] = poolersWithoutStatements(facts)
  if (!pooler) return undefined
  const { name, place, byDefault } = pooler
  return {
    name,
    place,
    remedy: byDefault === 'none' ? t`use an image of PgBouncer 1.24 or later` : setting,
  }
}

function finding({ evidence, change, place }: NamedStatements, pooler: Pooler): Finding {
  const at = place ?? pooler.place
  return {
    evidence: t`${evidence}, and ${pooler.name} does not track prepared statements.`,
    why: t`A query may run on a server connection that does not have the statement (26000), or has it already (42P05); old versions may even run another client's statement of the same name.`,
    change: t`${change}, or ${pooler.remedy}.`,
    data: {},
    ...(at && { place: at }),
  }
}
