import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { readArguments, readNumber, reject } from '../command-line.ts'
import { setup as generatePrismaClient } from '../prisma/global-setup.ts'
import type { Fault } from './fault.ts'
import { FAULTS } from './faults/index.ts'
import { CHINESE, ENGLISH } from './page-texts.ts'
import { markdownOf, tableOf } from './render.ts'
import { runCell } from './run-cell.ts'
import type { Stack } from './stack.ts'
import { STACKS } from './stacks/index.ts'
import { summaryOf, type TableCell } from './summary.ts'
import type { Verdict } from './verdict.ts'

const PAGES = [
  { file: '../../docs/faults.md', texts: ENGLISH },
  { file: '../../docs/zh/faults.md', texts: CHINESE },
] as const
const HELP = `pnpm faults [--fault <id>]... [--stack <name>]... [--at-once <n>] [--json] [--write]

Runs each fault on each stack, on real servers, and prints what became of the app.
  --at-once  cells that run at the same time (default 3)
  --json     totals by stack, and every cell
  --write    writes docs/faults.md and docs/zh/faults.md
`

const { values } = readArguments({
  options: {
    fault: { type: 'string', multiple: true },
    stack: { type: 'string', multiple: true },
    'at-once': { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit()
}
const faults = pick(FAULTS, values.fault, ({ id }) => id, '--fault')
const stacks = pick(STACKS, values.stack, ({ name }) => name, '--stack')
const atOnce = readNumber('--at-once', values['at-once'], 1)
await generatePrismaClient()

const waiting = faults.flatMap((fault) => stacks.map((stack) => ({ fault, stack })))
const cells: TableCell[] = []
await Promise.all(Array.from({ length: atOnce }, runWaiting))

if (values.json) process.stdout.write(`${JSON.stringify({ stacks: summaryOf(cells, stacks), cells })}\n`)
else process.stdout.write(`${tableOf(cells, faults, stacks)}\n`)
if (values.write) {
  const facts = { date: new Date().toISOString().slice(0, 10), versions: versionsOf(stacks) }
  for (const { file, texts } of PAGES)
    await writeFile(new URL(file, import.meta.url), `${markdownOf(cells, faults, stacks, facts, texts)}\n`)
}

/** Such as `Node 24.21.0, pg 8.23.1`. */
function versionsOf(stacks: readonly Stack[]): string {
  const require = createRequire(import.meta.url)
  const packages = [...new Set(stacks.flatMap((stack) => stack.packages))].sort()
  const versions = packages.map((name) => `${name} ${versionOf(name, require)}`)
  return [`Node ${process.versions.node}`, 'PostgreSQL 18', ...versions].join(', ')
}

/** Not every package exports its package.json. */
function versionOf(name: string, require: NodeJS.Require): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const manifest = path.join(folder, name, 'package.json')
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version
  }
  return 'unknown'
}

async function runWaiting(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { fault, stack } = next
    const verdict = await measure(fault, stack)
    cells.push({ fault: fault.id, stack: stack.name, verdict })
    process.stderr.write(`${fault.id} on ${stack.name}: ${verdict ? JSON.stringify(verdict) : 'not possible'}\n`)
  }
}

/** On a machine that is too busy an app may not begin to work in time: its cell is tried once more. */
async function measure(fault: Fault, stack: Stack): Promise<Verdict | undefined> {
  try {
    return await runCell(fault, stack)
  } catch (error) {
    process.stderr.write(`${fault.id} on ${stack.name}: not measured, tried again: ${error}\n`)
    return runCell(fault, stack)
  }
}

function pick<T extends Fault | Stack>(
  all: readonly T[],
  wanted: readonly string[] | undefined,
  nameOf: (each: T) => string,
  option: string,
): readonly T[] {
  const unknown = wanted?.find((name) => !all.some((each) => nameOf(each) === name))
  if (unknown !== undefined) reject(`${option} ${unknown} is unknown. Known: ${all.map(nameOf).join(', ')}`)
  return wanted ? all.filter((each) => wanted.includes(nameOf(each))) : all
}
