import { PoolguardError } from '@poolguard/core'
import { KnownSecrets, mayHoldSecret } from '@poolguard/core/adapter'
import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { addDoctor } from './commands/doctor.ts'
import { addGenerate } from './commands/generate.ts'
import { addMonitor } from './commands/monitor.ts'
import { addOptimize } from './commands/optimize.ts'
import { addPlan } from './commands/plan.ts'
import { addStress } from './commands/stress.ts'
import { addVerify } from './commands/verify.ts'
import { CannotRunError, type Outcome } from './outcome.ts'
import { forgetSecrets, printable, printableJson } from './output/printable.ts'

const EXIT_CODES = `
Exit codes: 0 all is fine, 1 there are findings, 2 the command could not run.
Where the database is comes from the argument, else from the environment (DATABASE_URL, PGHOST and its kind), else from
the file .env of this folder. No password is ever printed.`

/** Says what an option of every command does once. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON, for programs')
    .option('--dotenv <file>', 'read variables from this file instead of .env')
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands]
}

/** Does something itself. */
function isLeaf(command: Command): boolean {
  return command.commands.length === 0
}

/** Runs one command. Resolves with the exit code; prints everything itself. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  forgetSecrets()
  const json = args.includes('--json')
  // Commander quotes what it does not understand, and that may be a URL.
  const quoted = new KnownSecrets(args.flatMap(partsOf).filter(mayHoldSecret))
  let outcome: Outcome | undefined
  const program = new Command('poolguard')
    .description('Connection pools that keep to what PostgreSQL can give: who takes what, and what to change.')
    .version(manifest.version)
    .addHelpText('afterAll', EXIT_CODES)
  const done = (result: Outcome) => {
    outcome = result
  }
  addPlan(program, done)
  addDoctor(program, done)
  addGenerate(program, done)
  addOptimize(program, done)
  addVerify(program, done)
  addStress(program, done)
  addMonitor(program, done)
  for (const command of [program, ...program.commands.flatMap(withSubcommands)]) {
    command.exitOverride().configureOutput({
      writeErr: (text) => void process.stderr.write(printable(quoted.hideIn(text))),
      writeOut: (text) => void process.stdout.write(printable(text)),
    })
  }
  for (const command of program.commands.flatMap(withSubcommands).filter(isLeaf)) withCommonOptions(command)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    // Commander has said it already on standard error; help and version are no failures.
    if (error instanceof CommanderError && (error.exitCode === 0 || !json)) return error.exitCode === 0 ? 0 : 2
    if (error instanceof CommanderError) quoted.hideInError(error)
    outcome = failureOutcome(error)
  }
  if (!outcome) return 2
  const stream = outcome.exitCode === 2 && !json ? process.stderr : process.stdout
  const redacts = outcome.isFileContent !== true
  const said = json ? printableJson(outcome.json, { indent: 2, redacts }) : printable(outcome.text, { redacts })
  if (said) stream.write(`${said}\n`)
  return outcome.exitCode
}

/** An argument, and name and value of one of the form `--option=value`. */
function partsOf(argument: string): string[] {
  const equals = argument.startsWith('-') ? argument.indexOf('=') : -1
  return equals < 0 ? [argument] : [argument, argument.slice(0, equals), argument.slice(equals + 1)]
}

/** What was foreseen is said in a sentence; anything else is a bug, and shows where. */
function failureOutcome(error: unknown): Outcome {
  const foreseen = [CannotRunError, PoolguardError, CommanderError].some((kind) => error instanceof kind)
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof PoolguardError ? error.code : foreseen ? 'CANNOT_RUN' : 'UNEXPECTED'
  const stack = error instanceof Error ? (error.stack ?? message) : message
  return { exitCode: 2, text: foreseen ? message : stack, json: { error: { code, message } } }
}
