import { installShutdown } from '@poolguard/core'
import { poolguardWeb } from '@poolguard/web'
// The endpoints show the pools that the process has made.
import './db.server.ts'

const { ADMIN_TOKEN } = process.env

export const poolguard = poolguardWeb({
  metrics: true,
  admin: ADMIN_TOKEN !== undefined,
  adminToken: ADMIN_TOKEN,
  shedLoad: true,
})

// On SIGTERM, react-router-serve stops listening. The pool closes after the requests in flight. `react-router dev` loads this file again and again.
if (import.meta.env.PROD) installShutdown({ before: () => poolguard.drain() })
