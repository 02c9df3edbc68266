import { readFleetName } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'

/** The application for people: without the figures that a fleet's instances publish in application_name. */
export function nameSessions(application: string): string {
  const fleet = readFleetName(application)
  if (fleet) return fleet.instance ?? t`${fleet.app} (through PgBouncer)`
  return application || t`an app without application_name`
}
