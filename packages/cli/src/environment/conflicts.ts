import type { Environment } from './pool-from-environment.ts'
import type { EnvironmentReading } from './variable-groups.ts'
import type { EnvironmentWarning } from './warning.ts'

/**
 * Reports variables that contradict the chosen ones. Names both variables, and never shows values.
 */
export function environmentConflicts(
  env: Environment,
  chosen: EnvironmentReading,
  others: readonly (EnvironmentReading | undefined)[],
  behindPooler: boolean,
): EnvironmentWarning[] {
  const warnings: EnvironmentWarning[] = []
  const unused = others.find((other) => other?.name === 'PGBOUNCER_HOST')
  if (unused && !env.USE_PGBOUNCER) {
    warnings.push({
      code: 'pooler-not-used',
      parameter: 'PGBOUNCER_HOST',
      why: 'it names a pooler, but USE_PGBOUNCER is not set',
      instead: 'set USE_PGBOUNCER=true to connect through the pooler, or USE_PGBOUNCER=false to ignore PGBOUNCER_HOST',
    })
  }
  for (const other of others) {
    if (!other || other === chosen || other === unused) continue
    const asDirect = behindPooler && other.name === 'DATABASE_URL'
    for (const part of contradictions(chosen, other)) {
      const parameter = other.sources[part] ?? other.name
      const winner = chosen.sources[part] ?? chosen.name
      if (warnings.some((warning) => warning.parameter === parameter)) continue
      warnings.push({
        code: 'conflicting-variables',
        parameter,
        why: `its ${part} differs from that of ${winner}`,
        instead: asDirect
          ? `${winner} is used, because USE_PGBOUNCER is true; set the direct URL as DIRECT_URL`
          : `${winner} is used; set only one of them`,
      })
    }
  }
  if (differ(env.POSTGRES_DATABASE, env.POSTGRES_DB) && chosen.sources.database === 'POSTGRES_DATABASE') {
    warnings.push({
      code: 'conflicting-variables',
      parameter: 'POSTGRES_DB',
      why: 'its database differs from that of POSTGRES_DATABASE',
      instead: 'POSTGRES_DATABASE is used; set only one of them',
    })
  }
  return warnings
}

function contradictions(chosen: EnvironmentReading, other: EnvironmentReading): string[] {
  const host = (reading: EnvironmentReading): string | undefined =>
    reading.parts.hosts?.map((address) => address.host).join(',') || undefined
  const port = (reading: EnvironmentReading): string | undefined =>
    reading.parts.hosts?.flatMap((address) => address.port ?? []).join(',') || undefined
  const { parts } = chosen
  return [
    ...(differ(host(chosen), host(other)) ? ['host'] : []),
    ...(differ(port(chosen), port(other)) ? ['port'] : []),
    ...(differ(parts.user, other.parts.user) ? ['user'] : []),
    ...(differ(parts.password, other.parts.password) ? ['password'] : []),
    ...(differ(parts.database, other.parts.database) ? ['database'] : []),
    ...(parts.parameters ?? [])
      .filter(([name, value]) => other.parts.parameters?.some(([known, other]) => known === name && other !== value))
      .map(([name]) => name),
  ]
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return Boolean(one) && Boolean(other) && one !== other
}
