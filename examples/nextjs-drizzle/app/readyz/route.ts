import { HealthMonitor } from '@poolguard/core'
import '../../lib/db.ts'

export const dynamic = 'force-dynamic'

const health = new HealthMonitor()

export function GET(): Response {
  const { status } = health.check()
  return Response.json({ status }, { status: status === 'critical' ? 503 : 200 })
}
