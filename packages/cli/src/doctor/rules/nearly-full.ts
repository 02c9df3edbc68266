import { usableSlots } from '@poolguard/core'
import type { Rule } from '../rule.ts'

const SHARE = 0.9

export const nearlyFull: Rule = {
  id: 'nearly-full',
  title: 'Nine tenths of the connections are taken',
  severity: 'critical',
  check: ({ server }) => {
    if (!server) return []
    const { maxConnections, reserved } = server.capacity
    const usable = maxConnections - reserved
    const used = server.usage.reduce((sum, { connections }) => sum + connections, 0)
    const own = server.usage.filter(({ sameRole }) => sameRole).reduce((sum, { connections }) => sum + connections, 0)
    const mine = usableSlots(server.capacity)
    const bound = mine < usable && own >= mine * SHARE ? { taken: own, of: mine } : { taken: used, of: usable }
    if (bound.taken < bound.of * SHARE) return []
    const [first] = server.usage
    return [
      {
        evidence: `${bound.taken} of ${bound.of} connections are open; most of them by ${first?.application || 'sessions without application_name'} (${first?.role}, ${first?.connections}).`,
        why: 'The next deploy, or the next burst, is refused with "too many clients already".',
        change: 'Run `poolguard plan` for a max that fits all instances, or put PgBouncer in front.',
      },
    ]
  },
}
