import { inspect } from 'node:util'
import type { Output } from './find-leaks.ts'

/** Collects the warnings of this process while work is done. */
export async function withWarnings(work: () => unknown): Promise<Output[]> {
  const outputs: Output[] = []
  const heard = (warning: Error) => outputs.push({ where: 'a warning of the process', text: inspect(warning) })
  process.on('warning', heard)
  try {
    await work()
    // Warnings are emitted in the next tick.
    await new Promise(setImmediate)
  } finally {
    process.off('warning', heard)
  }
  return outputs
}
