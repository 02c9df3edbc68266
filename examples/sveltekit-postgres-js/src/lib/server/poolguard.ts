import { poolguardWeb } from '@poolguard/web'
// The endpoints show the pools that the process has made.
import './db.ts'

const { ADMIN_TOKEN } = process.env

export const poolguard = poolguardWeb({
  metrics: true,
  admin: ADMIN_TOKEN !== undefined,
  adminToken: ADMIN_TOKEN,
  shedLoad: true,
})
