/** Runs one target in a process of its own: the child that `runApart` starts. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type FuzzReport, type FuzzRun, runTarget, type SkippedTarget } from './run-target.ts'
import { TARGETS } from './targets.ts'

interface Order {
  readonly name: string
  readonly run: FuzzRun
}

/** The same as `runTarget`, in a process in which only Node loads modules. */
export async function runApart(order: Order): Promise<FuzzReport | SkippedTarget> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(order)])
  const [report] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the process of ${order.name} ended with ${code}`))),
  ])
  return report
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, run } = JSON.parse(process.argv[2] as string) as Order
  const target = TARGETS.find((each) => each.name === name)
  if (!target) throw new Error(`there is no target ${name}`)
  process.send?.(await runTarget(target, run))
}
