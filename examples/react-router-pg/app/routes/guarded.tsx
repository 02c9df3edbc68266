import { Outlet } from 'react-router'
import { poolguard } from '../poolguard.server.ts'
import type { Route } from './+types/guarded.ts'

/** Wait times by route, and 503 while the pool is overloaded. */
export const middleware: Route.MiddlewareFunction[] = [
  ({ request, pattern }, next) =>
    poolguard.serve(request, { label: `${request.method} /${pattern.replace(/^\//, '')}` }, next),
]

export default Outlet
