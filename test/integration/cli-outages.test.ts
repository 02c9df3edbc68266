import { expect, test } from 'vitest'
import { waitUntil } from '../harness/index.ts'
import { firstScreen, namesCulprit, statementIn } from '../outages/first-screen.ts'
import { leakUntilFull, OUTAGES, type StagedOutage } from '../outages/outages.ts'

test.each([...Object.entries(OUTAGES), ['leak on a full server', leakUntilFull] as const])(
  '%s: the first screen names the process and the statement that frees it',
  async (_, stage) => {
    await using outage = await stage()
    for (const args of [outage.asSuperuser, outage.asApp]) {
      const screen = await firstScreen(args)
      expect(namesCulprit(screen, outage), screen).toBe(true)
      expect(screen).toMatch(/127\.0\.0\.1:\d+/)
    }

    const statement = statementIn(await firstScreen(outage.asSuperuser)) ?? ''
    const before = await guiltySessions(outage)
    await outage.server.query(statement)
    await waitUntil(async () => (await guiltySessions(outage)) < before, { what: 'connections to come free' })
  },
)

async function guiltySessions({ server, guilty }: StagedOutage): Promise<number> {
  const [row] = await server.query('select count(*)::int as n from pg_stat_activity where pid = any($1)', [guilty])
  return row?.n
}
