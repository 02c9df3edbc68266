import { readFleetName } from '@poolguard/core/postgres'

/** Whose sessions they are, for people: without what a fleet's instances tell each other in their names. */
export function nameSessions(application: string): string {
  const fleet = readFleetName(application)
  if (fleet) return fleet.member ?? `${fleet.app} (through PgBouncer)`
  return application || 'sessions without application_name'
}
