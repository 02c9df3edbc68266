import { describeTopology } from '@poolguard/core'
import type { Outcome } from '../outcome.ts'
import { paint } from '../paint.ts'
import { type Diagnosis, diagnose } from './diagnose.ts'
import type { Facts } from './facts.ts'

/** The report. Where nothing at all could be looked at, the command could not run. */
export function doctorOutcome(facts: Facts): Outcome {
  const findings = diagnose(facts)
  const looked = describeLook(facts)
  const nothing =
    !facts.server &&
    facts.unreached?.failure !== 'full' &&
    facts.project.packages.size === 0 &&
    !facts.project.compose &&
    !facts.project.pgBouncer
  const exitCode = findings.length > 0 ? 1 : nothing ? 2 : 0
  const verdict =
    findings.length > 0
      ? count(findings)
      : nothing
        ? 'Nothing could be checked: run it in the folder of a project, or give the URL of a database.'
        : paint('green', 'Nothing to complain about.')
  const text = [...looked, '', ...findings.flatMap(printed), verdict].join('\n')
  return { exitCode, text, json: { looked, findings } }
}

function printed({ severity, title, rule, evidence, why, change }: Diagnosis): string[] {
  const badge = severity === 'critical' ? paint('red', 'critical') : paint('yellow', 'warning')
  return [
    `${badge}  ${paint('bold', title)} (${rule})`,
    `  Seen:   ${evidence}`,
    `  Why:    ${why}`,
    `  Change: ${change}`,
    '',
  ]
}

function count(findings: readonly Diagnosis[]): string {
  const critical = findings.filter(({ severity }) => severity === 'critical').length
  const warnings = findings.length - critical
  return `${critical} critical, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
}

function describeLook({ target, server, unreached, pooler, project }: Facts): string[] {
  const orms = [
    '@prisma/client',
    'drizzle-orm',
    'typeorm',
    'pg',
    'postgres',
    '@nestjs/core',
    'fastify',
    'next',
  ].flatMap((name) => {
    const version = project.packages.get(name)
    return version === undefined ? [] : [`${name} ${version}`]
  })
  const console = pooler ? [`PgBouncer ${pooler.version}: its console was read.`] : []
  return [
    target ? `Database: ${target.url} (${target.source})` : 'Database: none was named (a URL, DATABASE_URL, PGHOST).',
    ...(server
      ? [
          `Reached: PostgreSQL ${server.version}; ${describeTopology(server.topology)}.`,
          ...(server.seesAll
            ? []
            : [`${server.role} sees the states of its own sessions only; GRANT pg_read_all_stats shows all.`]),
        ]
      : []),
    ...(unreached ? [`Not reached: ${unreached.message}. Only what needs no connection was checked.`] : []),
    ...console,
    project.packages.size > 0
      ? `Project: ${orms.join(', ') || 'no ORM and no driver that is known'}.`
      : 'Project: no package.json here.',
  ]
}
