/** Long load with faults, and a crowd of clients. CONTRIBUTING.md describes it. */
import { readArguments, readNumber, reject } from '../command-line.ts'
import { setup as generatePrismaClient } from '../prisma/global-setup.ts'
import { type CrowdResult, crowd } from './crowd.ts'
import { type SoakResult, soak } from './soak.ts'

const PARTS = ['crowd', 'faults'] as const
const HELP = `pnpm soak [crowd] [faults] [--minutes <n>] [--seed <n>] [--json]

crowd   a thousand clients in twenty processes ask for a minute, through PgBouncer, on 25 connections of the server
faults  each adapter, and a fleet of eight processes, write and read on a real server, with a random fault every ten seconds;
        every third time the tables are compared with what the apps know to be committed, and what the processes hold is measured

Ends with 1 if a call of the crowd failed, or something was lost, hung, crashed, grew or went over its budget.
  --minutes  how long the faults take (default 30)
  --seed     repeats the faults of that run (default: random)
  --json     the figures
`

const { values, positionals } = readArguments({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit()
}
const unknown = positionals.find((part) => !PARTS.some((known) => known === part))
if (unknown !== undefined) reject(`There is no part "${unknown}", only: ${PARTS.join(', ')}`)
const isWanted = (part: (typeof PARTS)[number]) => positionals.length === 0 || positionals.includes(part)
const minutes = readNumber('--minutes', values.minutes, 1)
const seed = readNumber('--seed', values.seed, 1)

await generatePrismaClient()
process.stderr.write(`seed ${seed}\n`)
const crowded = isWanted('crowd') ? await crowd() : undefined
const stacks = isWanted('faults')
  ? await soak({ minutes, seed, tell: (text) => process.stderr.write(`${text}\n`) })
  : []
if (values.json) process.stdout.write(`${JSON.stringify({ seed, minutes, crowd: crowded, stacks })}\n`)
else process.stdout.write([...(crowded ? [describeCrowd(crowded)] : []), ...stacks.map(describe)].join(''))
const findings = [...(crowded?.findings ?? []), ...stacks.flatMap((stack) => stack.findings)]
process.exitCode = findings.length === 0 ? 0 : 1

function describeCrowd({ processes, clients, peakServerConnections, answered, findings }: CrowdResult): string {
  const figures = `${clients} clients in ${processes} processes on ${peakServerConnections} server connections, ${answered} answers`
  return withFindings(`crowd: ${figures}`, findings)
}

function describe({ stack, commits, failures, recoveryMillis, heapMegabytes, findings }: SoakResult): string {
  const figures = [
    `${commits} commits, ${failures} failed calls`,
    `back after ${recoveryMillis.median} ms (at most ${recoveryMillis.max} ms)`,
    `heap ${heapMegabytes.join(' to ')} MB`,
  ]
  return withFindings(`${stack}: ${figures.join(', ')}`, findings)
}

function withFindings(line: string, findings: readonly string[]): string {
  const count = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`
  return `${line}, ${count}\n${findings.map((finding) => `  ${finding}\n`).join('')}`
}
