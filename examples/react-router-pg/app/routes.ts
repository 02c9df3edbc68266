import { index, layout, type RouteConfig, route } from '@react-router/dev/routes'

const ENDPOINTS = ['healthz', 'readyz', 'metrics', 'admin/db-pool-stats']

export default [
  // Without a path: it only has the middleware, which the endpoints of poolguard do not pass.
  layout('routes/guarded.tsx', [index('routes/home.tsx'), route('notes', 'routes/notes.ts')]),
  ...ENDPOINTS.map((path) => route(path, 'routes/poolguard.ts', { id: path })),
] satisfies RouteConfig
