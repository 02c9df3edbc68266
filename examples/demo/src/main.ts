import { parseArgs } from 'node:util'
import ora from 'ora'
import { type DemoResult, type Progress, runDemo } from './demo.ts'
import { renderTable } from './render.ts'

const HELP = `Demonstrates poolguard on real servers, in three parts:
  1. six app processes with the default pools of Drizzle and Prisma, on PostgreSQL with max_connections = 20
  2. the same six processes with poolguard, as a fleet: they detect and share the database's connections automatically
  3. 200 concurrent clients through PgBouncer in transaction mode

Usage: pnpm demo [--json]
  --json   print only the figures, as one JSON object
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

/** Only exit: a process of the harness outlives this one, stops the servers and removes their folders. */
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } })
if (values.help) {
  process.stdout.write(HELP)
} else {
  const result = await runDemo(spin())
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `\n${renderTable(result)}\n\n`)
  process.exitCode = failures(result) > 0 ? 1 : 0
}

function failures({ direct, pooler }: DemoResult): number {
  return direct.guarded.failed + ('guarded' in pooler ? pooler.guarded.failed : 0)
}
