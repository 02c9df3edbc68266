import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { facesOf } from './faces.ts'
import type { Output } from './find-leaks.ts'

const CHANNELS = [
  ...['acquire', 'release', 'opened', 'connect-failed', 'closed', 'timeout', 'saturated', 'leak', 'leak-returned'],
  ...['long-query', 'deadlock', 'dirty-release', 'query-after-release', 'warning', 'resized', 'drained'],
].map((name) => `poolguard:${name}`)

/** Collects the warnings of this process, and the messages on poolguard's diagnostics channels, while work is done. */
export async function withWarnings(work: () => unknown): Promise<Output[]> {
  const outputs: Output[] = []
  const onWarning = (warning: Error) => outputs.push({ where: 'a warning of the process', text: inspect(warning) })
  const onMessage = (message: unknown, channel: string | symbol) => {
    outputs.push(...facesOf(`channel ${String(channel)}`, message))
  }
  process.on('warning', onWarning)
  for (const channel of CHANNELS) subscribe(channel, onMessage)
  try {
    await work()
    // Warnings are emitted in the next tick.
    await new Promise(setImmediate)
  } finally {
    process.off('warning', onWarning)
    for (const channel of CHANNELS) unsubscribe(channel, onMessage)
  }
  return outputs
}
