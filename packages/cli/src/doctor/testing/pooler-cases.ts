import type { ConnectHelp } from '../../connect-errors/explain-connect-error.ts'
import type { Case } from './case.ts'

const refused: ConnectHelp = {
  cause: 'refused',
  meaning: 'No process listens.',
  now: [{ text: 'Start it:', run: 'docker compose up -d --wait db' }],
  remedy: 'Start the server.',
  page: 'https://example.com/connection-errors.md#refused',
}

/** Cases of the rules about connecting and PgBouncer's console. */
export const POOLER_CASES: Readonly<Record<string, readonly Case[]>> = {
  'cannot-connect': [
    {
      given: 'a port that nothing listens on',
      facts: { unreached: { failure: 'unavailable', message: 'connect ECONNREFUSED', help: refused } },
      says: 'postgresql://app@db/app (DATABASE_URL): connect ECONNREFUSED.',
    },
    {
      given: 'a full server, which has a rule of its own',
      facts: { unreached: { failure: 'full', message: 'sorry', help: { ...refused, cause: 'full' } } },
    },
    { given: 'an unknown error', facts: { unreached: { failure: 'unavailable', message: 'an unknown error' } } },
  ],
}
