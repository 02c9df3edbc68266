import { inspect } from 'node:util'
import { acquireChannel, eventChannels, releaseChannel } from '../../../packages/core/src/pool/channels.ts'
import { facesOf } from './faces.ts'
import type { Output } from './find-leaks.ts'

const CHANNELS = [acquireChannel, releaseChannel, ...Object.values(eventChannels)]

/** Collects the warnings of this process, and the messages on poolguard's diagnostics channels, while work is done. */
export async function withWarnings(work: () => unknown): Promise<Output[]> {
  const outputs: Output[] = []
  const onWarning = (warning: Error) => outputs.push({ where: 'a warning of the process', text: inspect(warning) })
  const onMessage = (message: unknown, channel: string | symbol) => {
    outputs.push(...facesOf(`channel ${String(channel)}`, message))
  }
  process.on('warning', onWarning)
  for (const channel of CHANNELS) channel.subscribe(onMessage)
  try {
    await work()
    // Warnings are emitted in the next tick.
    await new Promise(setImmediate)
  } finally {
    process.off('warning', onWarning)
    for (const channel of CHANNELS) channel.unsubscribe(onMessage)
  }
  return outputs
}
