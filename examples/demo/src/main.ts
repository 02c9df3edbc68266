import { parseArgs } from 'node:util'
import ora from 'ora'
import { type DemoResult, type Progress, runDemo } from './demo.ts'
import { renderTable } from './render.ts'
import { watchFleet } from './watch/watch.ts'

const HELP = `Demonstrates poolguard on real servers, in three parts:
  1. six app processes with the default pools of Drizzle and Prisma, on PostgreSQL with max_connections = 20
  2. the same six processes with poolguard, as a fleet: they detect and share the database's connections automatically
  3. 200 concurrent clients through PgBouncer in transaction mode

Usage: pnpm demo [--watch] [--json]
  --watch  instead, start and end app processes of a fleet every few seconds, and show their shares on a live page until Ctrl-C
  --json   print only the figures, or with --watch the address of the page, as one JSON object
  --help   show this help

Exits with 1 if a request failed in part 2 or 3.
`

/** Shows progress on stderr, so that stdout contains only the result. */
function spin(): Progress {
  return {
    begin(title) {
      const spinner = ora({ text: title, discardStdin: false }).start()
      return (outcome) => spinner.succeed(outcome)
    },
  }
}

const WATCH_HINT = 'To see shares move on a live page: npx -y pnpm@12 demo --watch'

const { values } = parseArgs({
  options: { watch: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
})

/** Only exit: a process of the harness outlives this one, stops the servers and removes their folders. App processes end with this one. */
process.once('SIGINT', () => process.exit(values.watch ? 0 : 130))
process.once('SIGTERM', () => process.exit(values.watch ? 0 : 143))

if (values.help) {
  process.stdout.write(HELP)
} else if (values.watch) {
  await watchFleet(spin(), values.json === true)
} else {
  const result = await runDemo(spin())
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `\n${renderTable(result)}\n\n${WATCH_HINT}\n`)
  process.exitCode = failures(result) > 0 ? 1 : 0
}

function failures({ direct, pooler }: DemoResult): number {
  return direct.guarded.failed + ('guarded' in pooler ? pooler.guarded.failed : 0)
}
