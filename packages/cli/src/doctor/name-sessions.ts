import { readFleetName } from '@poolguard/core/postgres'

/** The application for people: without the figures that a fleet's instances publish in application_name. */
export function nameSessions(application: string): string {
  const fleet = readFleetName(application)
  if (fleet) return fleet.member ?? `${fleet.app} (through PgBouncer)`
  return application || 'an app without application_name'
}
