import { renderMetrics } from '@poolguard/core'
import '../../lib/db.ts'

export const dynamic = 'force-dynamic'

export function GET(request: Request): Response {
  const { contentType, body } = renderMetrics(request.headers.get('accept') ?? undefined)
  return new Response(body, { headers: { 'content-type': contentType } })
}
