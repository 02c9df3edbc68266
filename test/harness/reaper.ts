/**
 * A program of its own, started by `reaping.ts`. It outlives the test process, however that ends (return, exception,
 * Ctrl-C, SIGKILL): its standard input closes then, and it kills the servers and removes the folders left behind.
 */
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './is-alive.ts'
import type { ReaperOrder } from './reaper-orders.ts'

const graceMillis = 2_000
const signals = new Map<number, NodeJS.Signals>()
const folders = new Set<string>()

function obey(order: ReaperOrder): void {
  if ('watch' in order) {
    if ('pid' in order.watch) signals.set(order.watch.pid, order.watch.signal)
    else folders.add(order.watch.folder)
  } else if ('pid' in order.forget) signals.delete(order.forget.pid)
  else folders.delete(order.forget.folder)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

async function allGone(deadlineMillis: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMillis
  while (performance.now() < deadline) {
    if (![...signals.keys()].some(isAlive)) return true
    await sleep(20)
  }
  return false
}

for await (const line of createInterface({ input: process.stdin })) obey(JSON.parse(line))

for (const [pid, signal] of signals) {
  send(pid, signal)
  // A stopped process (SIGSTOP) would not see its signal before it runs again.
  if (process.platform !== 'win32') send(pid, 'SIGCONT')
}
if (!(await allGone(graceMillis))) {
  for (const pid of signals.keys()) send(pid, 'SIGKILL')
  await allGone(graceMillis)
}
// The last backends of a killed server may still be writing: hence the retries.
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
