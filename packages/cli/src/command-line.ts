import { PoolguardError } from '@poolguard/core'
import { KnownSecrets, mayHoldSecret } from '@poolguard/core/adapter'
import { Command, CommanderError, Option } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { COMMANDS } from './commands/commands.ts'
import { CannotRunError, type Outcome } from './outcome.ts'
import { commandLanguage } from './output/command-language.ts'
import { messageOf } from './output/message-of.ts'
import { forgetSecrets, printable, printableJson } from './output/printable.ts'
import { selectLanguage } from './output/translate.ts'

const EXIT_CODES = `
Exit codes: 0 no problems, 1 findings, 2 the command could not run.
The database URL comes from the argument, otherwise from the environment (DATABASE_URL, or PGHOST and libpq's other
variables), otherwise from .env in the current directory. Passwords are never printed.`

/** Adds the options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON, for programs')
    .option('--dotenv <file>', 'read variables from this file instead of .env')
    .addOption(
      new Option('--lang <language>', 'language of the output (default: from LC_ALL, LC_MESSAGES or LANG)').choices([
        'en',
        'zh',
      ]),
    )
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands]
}

/** A command without subcommands. */
function isLeaf(command: Command): boolean {
  return command.commands.length === 0
}

/** Runs one command. Resolves with the exit code; prints everything itself. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  forgetSecrets()
  selectLanguage(commandLanguage(args))
  const json = args.includes('--json')
  // Commander quotes unknown arguments, and one of them may be a URL.
  const quoted = new KnownSecrets(args.flatMap(partsOf).filter(mayHoldSecret))
  let outcome: Outcome | undefined
  const program = new Command('poolguard')
    .description(
      "Connection pools that stay within PostgreSQL's limits: see which apps hold connections, and what to change.",
    )
    .version(manifest.version)
    .addHelpText('afterAll', EXIT_CODES)
    // The arguments of a command are known once it is loaded.
    .configureHelp({ subcommandTerm: (command) => command.name() })
  const done = (result: Outcome) => {
    outcome = result
  }
  for (const { name, description, load } of COMMANDS) {
    const command = program.command(name).description(description)
    if (args.includes(name)) (await load())(command, done)
  }
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
    // Commander has printed the error already; help and version are not failures.
    if (error instanceof CommanderError && (error.exitCode === 0 || !json)) return error.exitCode === 0 ? 0 : 2
    if (error instanceof CommanderError) quoted.hideInError(error)
    outcome = failureOutcome(error)
  }
  if (!outcome) return 2
  const stream = outcome.exitCode === 2 && !json ? process.stderr : process.stdout
  const redacts = outcome.isFileContent !== true
  const output = json ? printableJson(outcome.json, { indent: 2, redacts }) : printable(outcome.text, { redacts })
  if (output) stream.write(`${output}\n`)
  return outcome.exitCode
}

/** The argument; for `--option=value` also its name and value. */
function partsOf(argument: string): string[] {
  const equals = argument.startsWith('-') ? argument.indexOf('=') : -1
  return equals < 0 ? [argument] : [argument, argument.slice(0, equals), argument.slice(equals + 1)]
}

/** Expected errors print their message; any other error is a bug and prints its stack. */
function failureOutcome(error: unknown): Outcome {
  const isExpected = [CannotRunError, PoolguardError, CommanderError].some((kind) => error instanceof kind)
  const message = messageOf(error)
  const code = error instanceof PoolguardError ? error.code : isExpected ? 'CANNOT_RUN' : 'UNEXPECTED'
  const stack = error instanceof Error ? (error.stack ?? message) : message
  const details = error instanceof CannotRunError ? error.details : {}
  return { exitCode: 2, text: isExpected ? message : stack, json: { error: { code, message, ...details } } }
}
