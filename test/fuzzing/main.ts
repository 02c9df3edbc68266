/** Checks properties with random inputs until a time is over. CONTRIBUTING.md describes it. */
import { readArguments, readNumber, reject } from '../command-line.ts'
import { runTarget } from './run-target.ts'
import { TARGETS } from './targets.ts'

const HELP = `pnpm fuzz [target]... [--seconds <n>] [--seed <n>] [--path <path>]

Checks properties with random inputs. Prints each seed and each count, and the smallest input that breaks a property.
  --seconds  for each target (default 20)
  --seed     repeats the inputs of that seed (default: random)
  --path     with --seed: repeats a finding only

Targets:
${TARGETS.map(({ name, claim }) => `  ${name.padEnd(24)}${claim}`).join('\n')}
`

const { values, positionals } = readArguments({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string' },
    path: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit()
}
const seconds = readNumber('--seconds', values.seconds, 1)
const seed = values.seed === undefined ? undefined : readNumber('--seed', values.seed, Number.MIN_SAFE_INTEGER)
const unknown = positionals.find((name) => !TARGETS.some((target) => target.name === name))
if (unknown !== undefined) reject(`target ${unknown} is unknown. Known: ${TARGETS.map(({ name }) => name).join(', ')}`)

let findings = 0
for (const target of TARGETS) {
  if (positionals.length > 0 && !positionals.includes(target.name)) continue
  const report = await runTarget(target, { millis: seconds * 1000, seed, path: values.path })
  if ('skipped' in report) {
    process.stdout.write(`${target.name}: skipped: ${report.skipped}\n`)
    continue
  }
  const counts = Object.entries(report.counts).map(([what, count]) => `${count} ${what}`)
  process.stdout.write(`${target.name}: seed ${report.seed}, ${[`${report.cases} inputs`, ...counts].join(', ')}\n`)
  if (report.finding === undefined) continue
  findings++
  process.stdout.write(`${report.finding}\n`)
}
process.stdout.write(`${findings} ${findings === 1 ? 'finding' : 'findings'}\n`)
process.exitCode = findings === 0 ? 0 : 1
