import { poolguardWeb } from '@poolguard/web'

const { ADMIN_TOKEN } = process.env

export const poolguard = poolguardWeb({
  metrics: true,
  admin: ADMIN_TOKEN !== undefined,
  adminToken: ADMIN_TOKEN,
  shedLoad: true,
})
