import { setTimeout as pause } from 'node:timers/promises'
import { interruptible } from '../output/interruptible.ts'
import { paint } from '../output/paint.ts'
import { printable } from '../output/printable.ts'
import type { LineWriter } from './line-writer.ts'
import type { Alert } from './watch.ts'

export interface FollowInput<S extends object> {
  /** Takes one sample; never rejects. A failed sample has an `error`. */
  readonly take: () => Promise<S>
  readonly check: (sample: S) => readonly Alert[]
  readonly lines: LineWriter<S | Alert>
  readonly intervalSeconds: number
  /** Stops after this many samples. Default: runs until a signal. */
  readonly samples?: number | undefined
}

export interface Followed {
  readonly alerts: readonly Alert[]
  readonly samples: number
  /** Failed samples. */
  readonly missed: number
}

/** Takes samples and writes a line for each one and for each alert, until Ctrl-C or SIGTERM. */
export async function follow<S extends object>(input: FollowInput<S>): Promise<Followed> {
  const { take, check, lines, intervalSeconds, samples = Infinity } = input
  await using interruption = interruptible()
  const alerts: Alert[] = []
  let taken = 0
  let missed = 0
  while (!interruption.signal.aborted && taken < samples) {
    const sample = await take()
    taken++
    if ('error' in sample) missed++
    await lines.write(sample)
    const raised = check(sample)
    for (const alert of raised) {
      process.stderr.write(`${printable(`${paint('red', alert.alert)}: ${alert.message}`)}\n`)
      await lines.write(alert)
    }
    alerts.push(...raised)
    if (taken < samples)
      await pause(intervalSeconds * 1_000, undefined, { signal: interruption.signal }).catch(() => {})
  }
  return { alerts, samples: taken, missed }
}
