import { confirm } from '@clack/prompts'
import { printable } from './printable.ts'

/** Whether a person can be asked: input and output are a terminal, and the output is not for a program. */
export function canAsk({ json }: { readonly json?: boolean | undefined }): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && json !== true
}

/** Prints what the question is about, and asks. A cancelled question counts as no. The default answer is no. */
export async function askAfter(about: string, message: string, initialValue = false): Promise<boolean> {
  process.stdout.write(`${printable(about)}\n`)
  return (await confirm({ message, initialValue })) === true
}
