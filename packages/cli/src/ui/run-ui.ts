import { setTimeout as pause } from 'node:timers/promises'
import { interruptible } from '../output/interruptible.ts'
import { printableLine } from '../output/printable.ts'
import { serveUi } from './serve-ui.ts'
import { UiContent } from './ui-content.ts'
import type { WatchedApp } from './watched-app.ts'
import type { WatchedDatabase } from './watched-database.ts'

export interface RunUiOptions {
  readonly database: WatchedDatabase | undefined
  readonly apps: readonly WatchedApp[]
  readonly port: number
  readonly hasActions: boolean
  readonly intervalSeconds: number
  readonly onListening: (address: string) => void
}

/** Serves the page until Ctrl-C or SIGTERM. */
export async function runUi(options: RunUiOptions): Promise<void> {
  const { database, apps, port, hasActions, intervalSeconds, onListening } = options
  await using interruption = interruptible()
  const { signal } = interruption
  const content = new UiContent({ database, apps, hasActions, over: signal })
  await using server = await serveUi(content, port, (line) => void process.stderr.write(`${printableLine(line)}\n`))
  onListening(server.address)
  const { promise: over, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  const sampleAgain = async () => {
    while (!signal.aborted) {
      await content.sample()
      await pause(intervalSeconds * 1_000, undefined, { signal }).catch(() => {})
    }
  }
  // A sample of a server that does not answer takes seconds.
  await Promise.race([sampleAgain(), over])
}
