import ora, { type Ora } from 'ora'
import { printable } from './printable.ts'

/** Shorter waits show nothing. */
const DELAY_MILLIS = 500

export interface ProgressOptions {
  /** The output is for a program. */
  readonly isSilent?: boolean | undefined
}

/** A spinner on standard error; silent if that is no terminal, or if the output is for a program. */
export function createSpinner(text: string, { isSilent }: ProgressOptions = {}): Ora {
  return ora({ text: printable(text), discardStdin: false, isSilent: isSilent === true || !process.stderr.isTTY })
}

/** Shows a spinner on standard error while a task takes longer than half a second, if that is a terminal. */
export async function withProgress<T>(text: string, task: Promise<T>, options: ProgressOptions = {}): Promise<T> {
  const spinner = createSpinner(text, options)
  const timer = setTimeout(() => spinner.start(), DELAY_MILLIS)
  try {
    return await task
  } finally {
    clearTimeout(timer)
    spinner.stop()
  }
}
