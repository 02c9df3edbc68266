import { expect, test } from 'vitest'
import { waitUntil } from '../harness/index.ts'
import { OUTAGES, type StagedOutage } from '../outages/outages.ts'
import { runPoolguard } from './run-poolguard.ts'

const SCREEN = { lines: 24, columns: 80 }

test.each(Object.entries(OUTAGES))(
  '%s: the first screen names the process and the statement that frees it',
  async (_, stage) => {
    await using outage = await stage()
    for (const args of [outage.asSuperuser, outage.asApp]) {
      const screen = await firstScreen(args)
      expect(screen).toContain(`process ${outage.culprit.pid} `)
      expect(statementIn(screen)).toBeDefined()
    }

    const statement = statementIn(await firstScreen(outage.asSuperuser)) ?? ''
    const before = await guiltySessions(outage)
    await outage.server.query(statement)
    await waitUntil(async () => (await guiltySessions(outage)) < before, { what: 'connections to come free' })
  },
)

/** The lines that fit on a terminal of that size, which breaks long ones. */
async function firstScreen(args: readonly string[]): Promise<string> {
  const { stdout } = await runPoolguard(['doctor', ...args])
  let left = SCREEN.lines
  const shown = stdout.split('\n').filter((line) => {
    left -= Math.max(1, Math.ceil(line.length / SCREEN.columns))
    return left >= 0
  })
  return shown.join('\n')
}

function statementIn(screen: string): string | undefined {
  return /^ +(set search_path = pg_catalog; select .*;)$/m.exec(screen)?.[1]
}

async function guiltySessions({ server, guilty }: StagedOutage): Promise<number> {
  const [row] = await server.query('select count(*)::int as n from pg_stat_activity where pid = any($1)', [guilty])
  return row?.n
}
