/** A process with one pool, under a load that its parent sets. */
import { setTimeout as pause } from 'node:timers/promises'
import type { InstanceOptions, Order } from './instance-messages.ts'
import { openDatabase } from './open-database.ts'

/** A caller that was turned away does not come again in the same breath. */
const THINKING_MILLIS = 20

const { query, look } = await openDatabase(JSON.parse(process.argv[2] as string) as InstanceOptions)
const errors: Record<string, number> = {}
let done = 0
let callers = 0
let running = 0
let text = 'select 1'

async function call(): Promise<void> {
  running++
  while (running <= callers) {
    try {
      await query(text)
      done++
    } catch (error) {
      const { code } = error as { code?: unknown }
      errors[String(code)] = (errors[String(code)] ?? 0) + 1
      await pause(THINKING_MILLIS)
    }
  }
  running--
}

/** As a computation does that never lets go of the event loop. */
function block(millis: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)
}

process.on('message', ({ number, ...order }: Order) => {
  text = order.text ?? text
  callers = order.callers ?? callers
  for (let more = callers - running; more > 0; more--) void call()
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0)
  process.send?.({ number, done, failed, errors, ...look() })
  if (order.blockMillis !== undefined) block(order.blockMillis)
})
process.once('disconnect', () => process.exit())
process.send?.({ number: 0 })
