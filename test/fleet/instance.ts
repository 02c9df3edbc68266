/** A process with one pool, under a load set by its parent. */
import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '../bench/open-loop.ts'
import type { InstanceOptions, Order } from './instance-messages.ts'
import { openDatabase } from './open-database.ts'

/** Pause of a caller after an error. */
const RETRY_MILLIS = 20

const { query, figures } = await openDatabase(JSON.parse(process.argv[2] as string) as InstanceOptions)
const errors: Record<string, number> = {}
/** Of the calls since the last report, at most so many. */
const MAX_TIMES = 100_000
let times: number[] = []
let done = 0
let callers = 0
let running = 0
let text = 'select 1'

async function call(): Promise<void> {
  running++
  while (running <= callers) {
    try {
      const began = performance.now()
      await query(text)
      done++
      if (times.length < MAX_TIMES) times.push(performance.now() - began)
    } catch (error) {
      const { code } = error as { code?: unknown }
      errors[String(code)] = (errors[String(code)] ?? 0) + 1
      await pause(RETRY_MILLIS)
    }
  }
  running--
}

/** Blocks the event loop, like a long computation. */
function block(millis: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)
}

process.on('message', ({ number, ...order }: Order) => {
  text = order.text ?? text
  callers = order.callers ?? callers
  for (let more = callers - running; more > 0; more--) void call()
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0)
  process.send?.({ number, done, failed, errors, p99Millis: percentile(times, 0.99), ...figures() })
  times = []
  if (order.blockMillis !== undefined) block(order.blockMillis)
})
process.once('disconnect', () => process.exit())
process.send?.({ number: 0 })
