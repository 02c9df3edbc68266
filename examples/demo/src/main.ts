import { parseArgs } from 'node:util'
import ora from 'ora'
import { type DemoResult, type Progress, runDemo } from './demo.ts'
import { renderTable } from './render.ts'

const HELP = `Shows on real servers what poolguard is for, in three parts:
  1. six app processes with their libraries' default pools on a PostgreSQL with max_connections = 20
  2. the same six with poolguard, as a fleet: they find and share what the database can give by themselves
  3. 200 concurrent clients through PgBouncer in transaction mode

Usage: pnpm demo [--json]
  --json   print only the figures, as one JSON object
  --help   show this

Exits with 1 where a request failed in part 2 or 3.
`

/** Progress goes to stderr, so that stdout holds the result alone. */
function spin(): Progress {
  return {
    begin(title) {
      const spinner = ora({ text: title, discardStdin: false }).start()
      return (outcome) => spinner.succeed(outcome)
    },
  }
}

/** The servers are ended, and their folders removed, by a process of the harness that outlives this one. */
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
