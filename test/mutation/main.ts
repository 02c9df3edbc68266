/** Mutates core's source and reports which mutants no test notices. CONTRIBUTING.md describes it. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { readArguments, readNumber, reject } from '../command-line.ts'
import type { MutantResult } from './mutant-result.ts'

const PARTS = ['pool', 'budget', 'fleet', 'settings', 'statements']
const ROOT = join(import.meta.dirname, '../..')
const CACHE = join(import.meta.dirname, 'node_modules/.cache')
const STRYKER = join(import.meta.dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js')

const HELP = `pnpm mutation [--part <part>]... [--sample <n>] [--seed <n>] [--minutes <n>]

Changes one expression of core's source at a time, and runs the tests of its folder. Prints for each part the share of changes that
a test notices, and each change that no test notices.
  --part     ${PARTS.join(', ')} (default: all)
  --sample   how many changes to test for each part, chosen at random (default 200)
  --seed     of the choice (default: random)
  --minutes  ends each part after that long, with the results until then (default 10)
`

const { values } = readArguments({
  options: {
    part: { type: 'string', multiple: true, default: PARTS },
    sample: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    minutes: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit()
}
const sample = readNumber('--sample', values.sample, 1)
const seed = readNumber('--seed', values.seed, 0)
const minutes = readNumber('--minutes', values.minutes, 1)
const unknown = values.part.find((part) => !PARTS.includes(part))
if (unknown !== undefined) reject(`part ${unknown} is unknown. Known: ${PARTS.join(', ')}`)

installStryker()
for (const part of values.part) report(part, await testMutants(part))

/** Stryker has a workspace of its own, because the repository's would install its 170 packages for everyone. */
function installStryker(): void {
  const { status } = spawnSync('npx -y pnpm@12 install --frozen-lockfile', {
    cwd: import.meta.dirname,
    shell: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) reject('Stryker could not be installed')
}

interface Sample {
  /** How many mutants were to be tested. */
  readonly chosen: number
  readonly results: readonly MutantResult[]
}

async function testMutants(part: string): Promise<Sample> {
  const results = join(CACHE, `${part}.jsonl`)
  mkdirSync(CACHE, { recursive: true })
  rmSync(results, { force: true })
  const files = [`packages/core/src/${part}/**/*.ts`, '!**/*.test.ts', '!**/testing/**'].join()
  const args = ['run', 'test/mutation/stryker.config.json', '--mutate', files]
  const concurrency = ['--concurrency', String(Math.max(2, availableParallelism()))]
  const stryker = spawn(process.execPath, [STRYKER, ...args, ...concurrency], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      POOLGUARD_MUTATION_PART: part,
      POOLGUARD_MUTATION_SAMPLE: String(sample),
      POOLGUARD_MUTATION_SEED: String(seed),
      POOLGUARD_MUTATION_RESULTS: results,
    },
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  stryker.on('exit', () => resolve())
  const timer = setTimeout(() => stryker.kill(), minutes * 60_000)
  await ended
  clearTimeout(timer)
  rmSync(join(ROOT, '.stryker-tmp'), { recursive: true, force: true })
  if (!existsSync(results)) return { chosen: 0, results: [] }
  const lines = readFileSync(results, 'utf8').trim().split('\n')
  const [chosen, ...tested] = lines.map((line) => JSON.parse(line))
  return { chosen: chosen.count, results: tested }
}

function report(part: string, { chosen, results }: Sample): void {
  if (results.length === 0) reject(`${part}: no mutant was tested in ${minutes} minutes`)
  const count = (wanted: MutantResult['status']) => results.filter(({ status }) => status === wanted).length
  const detected = count('Killed') + count('Timeout')
  const tested = detected + count('Survived')
  const unreached = count('NoCoverage')
  // Those that no test reaches are known at once. Of the others, a run that was cut short has tested only a part.
  const reached = chosen - unreached
  const share = (reached / chosen) * (tested > 0 ? detected / tested : 0)
  const margin = 1.96 * Math.sqrt((share * (1 - share)) / (tested + unreached))
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`
  for (const { fileName, location, mutatorName, replacement, status } of results) {
    if (status !== 'Survived' && status !== 'NoCoverage') continue
    const place = `${relative(ROOT, fileName)}:${location.start.line}:${location.start.column}`
    process.stdout.write(`  ${status} ${place} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 100)}\n`)
  }
  process.stdout.write(
    `${part}: ${percent(share)} (± ${percent(margin)}) noticed; ${tested} of ${reached} mutants tested, ${unreached} reached by no test, --sample ${sample} --seed ${seed}\n`,
  )
}
