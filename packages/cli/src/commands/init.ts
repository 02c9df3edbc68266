import type { Command } from 'commander'
import { environment } from '../environment/own-environment.ts'
import { describePlan, patchOf } from '../init/describe-plan.ts'
import { applyFiles, RECORD, undoFiles } from '../init/init-record.ts'
import { describeCommand, type PackageCommand, packageCommand, runCommand } from '../init/package-manager.ts'
import { type InitPlan, planInit } from '../init/plan-init.ts'
import type { Outcome } from '../outcome.ts'
import { askAfter, canAsk } from '../output/ask.ts'
import { t } from '../output/translate.ts'

interface InitOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly install: boolean
  readonly undo?: boolean
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  $ poolguard init --dry-run
  $ poolguard init
  $ poolguard init --yes --no-install
  $ poolguard init --undo

It shows the diff first and asks before it changes anything. It edits only the lines that adopt poolguard, and records them
in ${RECORD}, from which --undo restores the files. Commit or remove that file as you like; it contains no secrets.`

export function defineInit(command: Command, done: (outcome: Outcome) => void): void {
  command
    .option('--yes', 'apply without asking')
    .option('--dry-run', 'show the diff and change nothing')
    .option('--no-install', 'do not install packages')
    .option('--undo', 'undo the last run')
    .addHelpText('after', EXAMPLES)
    .action(async (options: InitOptions) => done(await (options.undo ? undo(options) : init(options))))
}

async function init(options: InitOptions): Promise<Outcome> {
  const root = process.cwd()
  const plan = planInit(root, environment)
  const commands = await Promise.all(plan.installs.map((each) => packageCommand(root, each, 'add')))
  const text = describePlan(plan, commands)
  if (plan.files.length === 0) return nothingToEdit(plan, text)
  if (options.dryRun) return outcome(plan, commands, false, `${text}\n${t`Nothing was changed (--dry-run).`}`)
  if (!options.yes && !canAsk(options)) {
    return {
      ...outcome(plan, commands, false, `${text}\n${t`Nothing was changed: pass --yes to apply.`}`),
      exitCode: 2,
    }
  }
  if (!options.yes) {
    const isWanted = await askAfter(text, t`Apply these changes?`, true)
    if (!isWanted) return outcome(plan, commands, false, t`Nothing was changed.`)
  }
  applyFiles(root, plan.files, options.install ? plan.installs : [])
  const failed = options.install ? await runAll(root, commands, options) : commands
  const ending = [
    ...(options.yes ? [text] : []),
    t`Changed ${plan.files.length} files. To undo: poolguard init --undo (reads ${RECORD}).`,
    ...failed.map((each) => t`Run: ${describeCommand(each)}`),
    t`Next: let all processes share the server's connections with fleet: { app: '<name>' } in the options of the pool.`,
  ]
  const isIncomplete = options.install && failed.length > 0
  return { ...outcome(plan, commands, true, ending.join('\n')), ...(isIncomplete && { exitCode: 1 }) }
}

function nothingToEdit(plan: InitPlan, text: string): Outcome {
  const isAdopted = plan.apps.some(({ packages }) =>
    [...packages.keys()].some((name) => name.startsWith('@poolguard/')),
  )
  const ending = isAdopted
    ? t`Nothing to change: this project uses poolguard already.`
    : t`Nothing to change: no source of this directory creates a pool that init knows.`
  return outcome(plan, [], false, `${text}\n${ending}`.trimStart())
}

/** Runs the commands one after the other. Returns those that failed. */
async function runAll(
  root: string,
  commands: readonly PackageCommand[],
  { json = false }: InitOptions,
): Promise<readonly PackageCommand[]> {
  const failed: PackageCommand[] = []
  for (const command of commands) if (!(await runCommand(root, command, json))) failed.push(command)
  return failed
}

async function undo(options: InitOptions): Promise<Outcome> {
  const root = process.cwd()
  const { files, installs } = undoFiles(root)
  const commands = await Promise.all(installs.map((each) => packageCommand(root, each, 'uninstall')))
  const left = options.install ? await runAll(root, commands, options) : commands
  const restored = files.map(({ file }) => file)
  const text = [
    t`Restored ${restored.length} files: ${restored.join(', ')}.`,
    ...left.map((each) => t`Run: ${describeCommand(each)}`),
  ].join('\n')
  return {
    exitCode: options.install && left.length > 0 ? 1 : 0,
    text,
    json: { restored, commands: left.map(describeCommand) },
  }
}

function outcome(plan: InitPlan, commands: readonly PackageCommand[], applied: boolean, text: string): Outcome {
  return {
    exitCode: 0,
    text,
    json: {
      applied,
      files: plan.files.map((each) => ({ file: each.file, diff: patchOf(each) })),
      packages: plan.installs,
      commands: commands.map(describeCommand),
      instructions: plan.instructions,
      unread: plan.unread,
      ...(applied && { record: RECORD }),
    },
  }
}
