import { type FleetView, LOOK, publishStatement, readLook, readLookAnswer } from '../fleet/index.ts'

/** Runs a text on the connection that looks; see {@link GuardedDriver.ask}. */
export type Ask = (text: string) => Promise<string | null | undefined>

/** Looks at a server, and publishes what that leads to, in one transaction under the fleets' lock: two round trips. */
export async function lookAtServer(ask: Ask, decide: (view: FleetView) => string): Promise<void> {
  const look = readLookAnswer(await ask(LOOK))
  if (!look) throw new TellsNothing()
  await ask(`${publishStatement(decide(readLook(look)))}; commit`)
}

/** Limits and sessions are not shown to this role. */
export class TellsNothing extends Error {
  constructor() {
    super('the database did not tell its limits (pg_roles, pg_database and pg_stat_activity must be readable)')
  }
}
