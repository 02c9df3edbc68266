import type { Misuse } from './messages.ts'
import { MAX_CONNECTIONS, type StackApp } from './stack.ts'

/** A caller's own fault. Resolves to false if the stack's API does not allow it. */
export async function misuse(app: StackApp, what: Misuse): Promise<boolean> {
  if (what === 'deadlock') {
    await nest(app)
    return true
  }
  if (!app.borrow) return false
  const borrowed = await app.borrow()
  if (what === 'leak') {
    await borrowed.run('select 1')
    return true
  }
  if (what === 'dirty-release') await borrowed.run('begin')
  await borrowed.release()
  if (what === 'double-release') await borrowed.release()
  return true
}

/** As many transactions as there are connections, each of which waits for one connection more. */
async function nest(app: StackApp): Promise<void> {
  const all = Array.from({ length: MAX_CONNECTIONS }, (_, n) => app.writeTwice(-1 - n, () => app.read()))
  for (const outcome of await Promise.allSettled(all)) if (outcome.status === 'rejected') throw outcome.reason
}
