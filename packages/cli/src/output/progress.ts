import ora from 'ora'
import { printable } from './printable.ts'

/** Shorter waits show nothing. */
const DELAY_MILLIS = 500

export interface ProgressOptions {
  /** The output is for a program. */
  readonly isSilent?: boolean | undefined
}

/** Shows a spinner on standard error while a task takes longer than half a second, if that is a terminal. */
export async function withProgress<T>(text: string, task: Promise<T>, options: ProgressOptions = {}): Promise<T> {
  const isSilent = options.isSilent === true || !process.stderr.isTTY
  const spinner = ora({ text: printable(text), discardStdin: false, isSilent })
  const timer = setTimeout(() => spinner.start(), DELAY_MILLIS)
  try {
    return await task
  } finally {
    clearTimeout(timer)
    spinner.stop()
  }
}
