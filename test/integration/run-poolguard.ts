import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { bundledCommandLine } from '../bundled-command-line.ts'

/** The program, for a command with Node. */
export const POOLGUARD: string = await bundledCommandLine()
export const FIXTURES: string = fileURLToPath(new URL('../../packages/cli/fixtures', import.meta.url))

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Default: a directory without a project. */
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
  /** Sends `signal` when this resolves. */
  readonly interruptWhen?: () => Promise<unknown>
  /** Sends `signal` after the first line of output. */
  readonly interruptsAtLine?: boolean
  /** Default SIGINT. */
  readonly signal?: NodeJS.Signals
  /** Closes standard output after the first line. */
  readonly readsOneLine?: boolean
}

/** The environment of a child process: without libpq's variables and the user's settings. */
export function cleanEnvironment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env
  return { PATH, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }), ...env }
}

/** Runs the command line in a child process. */
export async function runPoolguard(
  args: readonly string[],
  {
    folder = tmpdir(),
    env = {},
    interruptWhen,
    signal = 'SIGINT',
    readsOneLine = false,
    interruptsAtLine = false,
  }: RunOptions = {},
): Promise<Run> {
  const child = spawn(process.execPath, [POOLGUARD, ...args], { cwd: folder, env: cleanEnvironment(env) })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
    if (interruptsAtLine && output.stdout.includes('\n')) child.kill(signal)
    if (readsOneLine && output.stdout.includes('\n')) child.stdout.destroy()
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  const [code] = await Promise.all([promise, interruptWhen?.().finally(() => child.kill(signal))])
  return { code, ...output }
}
