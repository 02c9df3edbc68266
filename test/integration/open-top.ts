import { onTestFinished } from 'vitest'
import { Terminal, type TerminalOptions } from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD } from './run-poolguard.ts'

export interface TopOptions extends TerminalOptions {
  /** Further arguments. */
  readonly args?: string
}

/** A terminal in which `poolguard top` runs, until the test ends. */
export async function openTop(url: string, { args = '', ...options }: TopOptions = {}): Promise<Terminal> {
  const env = cleanEnvironment({ DATABASE_URL: url, ...options.env })
  const terminal = await Terminal.start({ ...options, env })
  onTestFinished(() => terminal[Symbol.asyncDispose]())
  await terminal.run(topCommand(args))
  return terminal
}

/** The line that starts it in a shell. */
export function topCommand(args = ''): string {
  return `"${process.execPath}" "${POOLGUARD}" top --interval 0.2 ${args}`.trim()
}
