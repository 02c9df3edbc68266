import { runPoolguard } from '../integration/run-poolguard.ts'
import type { StagedOutage } from './outages.ts'

const SCREEN = { lines: 24, columns: 80 }

/** The part of doctor's report that a terminal of 80 x 24 shows, which breaks long lines. */
export async function firstScreen(args: readonly string[]): Promise<string> {
  const { stdout } = await runPoolguard(['doctor', ...args])
  let left = SCREEN.lines
  const shown = stdout.split('\n').filter((line) => {
    left -= Math.max(1, Math.ceil(line.length / SCREEN.columns))
    return left >= 0
  })
  return shown.join('\n')
}

/** The first statement that ends sessions. */
export function statementIn(screen: string): string | undefined {
  return /^ +(set search_path = pg_catalog; select .*pg_terminate_backend.*;)$/m.exec(screen)?.[1]
}

/** Whether the screen names the process that is to blame, and has a statement that ends its sessions. */
export function namesCulprit(screen: string, { culprit }: StagedOutage): boolean {
  return screen.includes(`process ${culprit.pid} `) && statementIn(screen) !== undefined
}
